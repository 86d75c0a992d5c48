import json

import joblib
import pytest
from sklearn.datasets import load_diabetes

from diabetes.train import read_parameters, save, train

PARAMETERS = {"alpha": 1.0, "test_size": 0.2, "random_state": 0}


def test_training_is_reproducible():
    assert train(PARAMETERS)[1] == train(PARAMETERS)[1]


def test_beats_guessing_the_mean():
    variance = load_diabetes().target.var()
    assert train(PARAMETERS)[1]["mse"] < variance


def test_saves_what_martlet_reads(tmp_path):
    model, metrics = train(PARAMETERS)
    save(model, metrics, PARAMETERS, tmp_path)
    assert json.loads((tmp_path / "metrics.json").read_text()) == metrics
    assert json.loads((tmp_path / "params.json").read_text())["alpha"] == 1.0
    row = load_diabetes().data[:1]
    assert joblib.load(tmp_path / "model" / "model.joblib").predict(row) == pytest.approx(model.predict(row))


def test_a_missing_section_means_the_defaults(tmp_path, capsys):
    (tmp_path / "parameters.json").write_text("{}")
    assert read_parameters(tmp_path / "parameters.json")["alpha"] == 1.0
    assert "no section 'training'" in capsys.readouterr().out
