"""An ordinary MLflow program, for a client of MLflow 2 or 3: nothing in it knows of Martlet.

Run by test_mlflow.py with MLFLOW_TRACKING_URI and a token in the environment; prints what it found as JSON.
"""

import json
import math
import tempfile
from pathlib import Path

import mlflow
import mlflow.sklearn
import numpy as np
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LinearRegression

FEATURES = np.array([[1.0], [2.0], [3.0], [4.0]])
TARGET = np.array([2.0, 4.0, 6.0, 8.0])
client = MlflowClient()


def refused(code, call, *words, **named):
    try:
        call(*words, **named)
    except MlflowException as error:
        assert error.error_code == code, f"{error.error_code}: {error}"
    else:
        raise AssertionError(f"{call} was not refused")


def track():
    mlflow.set_experiment("first steps")
    with mlflow.start_run(run_name="one") as run:
        mlflow.log_param("alpha", 0.5)
        mlflow.log_params({"a": 1, "b": "two"})
        for step in range(3):
            mlflow.log_metric("rmse", 1 / (step + 1), step=step)
        mlflow.log_metric("nothing", math.nan)
        mlflow.log_metric("much", math.inf)
        mlflow.set_tag("team", "ml")
        mlflow.log_text("hello", "notes/hello.txt")
        mlflow.log_dict({"a": 1}, "conf.json")
        refused("INVALID_PARAMETER_VALUE", client.log_param, run.info.run_id, "alpha", "0.6")
        with mlflow.start_run(nested=True, run_name="inner"):
            mlflow.log_metric("rmse", 9)
    data = client.get_run(run.info.run_id).data
    assert data.params == {"alpha": "0.5", "a": "1", "b": "two"}, data.params
    assert math.isnan(data.metrics["nothing"]) and data.metrics["much"] > 1e308, data.metrics
    assert [m.value for m in client.get_metric_history(run.info.run_id, "rmse")] == [1, 1 / 2, 1 / 3]
    found = mlflow.search_runs(
        experiment_names=["first steps"], filter_string="metrics.rmse < 1 and tags.team = 'ml'", order_by=["metrics.rmse"]
    )
    assert list(found.run_id) == [run.info.run_id], found
    assert {f.path for f in client.list_artifacts(run.info.run_id)} == {"conf.json", "notes"}
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/notes/hello.txt") == "hello"
    client.delete_run(run.info.run_id)
    client.restore_run(run.info.run_id)
    assert client.get_experiment_by_name("nowhere") is None
    refused("RESOURCE_DOES_NOT_EXIST", client.get_run, "0" * 32)


def files():
    with mlflow.start_run() as run, tempfile.TemporaryDirectory() as folder:
        for name, size in {"empty": 0, "ünï cødé +&%.txt": 1, "large.bin": 5 << 20}.items():
            (Path(folder) / name).write_bytes(b"x" * size)
        mlflow.log_artifacts(folder, "sub")
        back = Path(mlflow.artifacts.download_artifacts(f"runs:/{run.info.run_id}/sub"))
        assert {p.name: p.stat().st_size for p in back.iterdir()} == {
            p.name: p.stat().st_size for p in Path(folder).iterdir()
        }


def models():
    with mlflow.start_run():
        model = LinearRegression().fit(FEATURES, TARGET)
        info = mlflow.sklearn.log_model(
            model, "model", registered_model_name="line", input_example=FEATURES[:2]
        )
    assert mlflow.register_model(info.model_uri, "line").version == "2"
    client.set_registered_model_alias("line", "champion", "1")
    client.transition_model_version_stage("line", "1", "Production")
    client.transition_model_version_stage("line", "2", "Production", archive_existing_versions=True)
    assert [(v.version, v.current_stage) for v in client.search_model_versions("name='line'")] == [
        ("2", "Production"),
        ("1", "Archived"),
    ]
    for uri in ["models:/line/1", "models:/line/Production", "models:/line@champion", "models:/line/latest"]:
        assert abs(mlflow.pyfunc.load_model(uri).predict(np.array([[5.0]]))[0] - 10) < 1e-6, uri
    client.set_model_version_tag("line", "2", "checked", "yes")
    assert [v.version for v in client.search_model_versions("name='line' and tags.checked = 'yes'")] == ["2"]
    client.update_model_version("line", "2", description="a line")
    copied = client.copy_model_version("models:/line/2", "line-copy")
    assert copied.description == "a line" and copied.tags == {"checked": "yes"}, copied
    assert {m.name for m in client.search_registered_models("name LIKE 'line%'")} == {"line", "line-copy"}
    refused("INVALID_PARAMETER_VALUE", client.create_model_version, "line", "/etc")
    refused("INVALID_PARAMETER_VALUE", client.get_model_version_by_alias, "line", "nobody")
    client.rename_registered_model("line-copy", "line-twin")
    client.delete_model_version("line-twin", "1")
    client.delete_registered_model("line-twin")
    refused("RESOURCE_DOES_NOT_EXIST", client.get_registered_model, "line-twin")


def automatic():
    mlflow.sklearn.autolog()
    with mlflow.start_run() as run:
        LinearRegression().fit(FEATURES, TARGET)
    mlflow.sklearn.autolog(disable=True)
    data = client.get_run(run.info.run_id).data
    assert "fit_intercept" in data.params and "training_r2_score" in data.metrics, data


for part in [track, files, models, automatic]:
    part()
print(json.dumps({"version": mlflow.__version__, "versions": len(client.search_model_versions("name='line'"))}))
