"""Holds the numbers that the evaluator's tests are checked against to scipy, statsmodels and scikit-learn.

`python Tests/EndToEnd/test_statistics.py` writes them anew.
"""

import json
import math
import random
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[1] / "Fixtures" / "statistics" / "expected.json"


def mcnemar(first, second):
    from statsmodels.stats.contingency_tables import mcnemar as test

    result = test([[50, first], [second, 40]], exact=first + second < 25, correction=True)
    return {"first": first, "second": second, "statistic": float(result.statistic), "pvalue": float(result.pvalue)}


def paired(differences):
    import numpy
    from scipy import stats

    test = stats.ttest_rel(differences, [0.0] * len(differences))
    means = stats.bootstrap(
        (differences,), numpy.mean, n_resamples=9999, method="percentile", rng=numpy.random.default_rng(1)
    ).bootstrap_distribution
    return {
        "differences": differences,
        "statistic": float(test.statistic),
        "pvalue": float(test.pvalue),
        "bootstrap": float((means <= 0).mean()),
    }


def scores(labels, predictions, regression):
    from sklearn import metrics

    if regression:
        values = {
            "mse": metrics.mean_squared_error(labels, predictions),
            "rmse": metrics.root_mean_squared_error(labels, predictions),
            "mae": metrics.mean_absolute_error(labels, predictions),
            "r2": metrics.r2_score(labels, predictions),
        }
    else:
        average = {"average": "macro", "zero_division": 0}
        values = {
            "accuracy": metrics.accuracy_score(labels, predictions),
            "error_rate": metrics.zero_one_loss(labels, predictions),
            "precision_macro": metrics.precision_score(labels, predictions, **average),
            "recall_macro": metrics.recall_score(labels, predictions, **average),
            "f1_macro": metrics.f1_score(labels, predictions, **average),
        }
    return {
        "labels": [str(label) for label in labels],
        "predictions": [str(value) for value in predictions],
        "metrics": {name: float(value) for name, value in values.items()},
    }


def expected():
    chance = random.Random(20)
    pairs = [(0, 0), (1, 0), (5, 5), (3, 12), (0, 10), (24, 0), (12, 12), (25, 0), (10, 15), (40, 22), (300, 250), (9000, 9400)]
    samples = [
        [round(chance.gauss(mean, spread), 6) for _ in range(count)]
        for count, mean, spread in [(2, 1, 1), (5, 0.4, 1), (12, 0, 2), (60, 0.3, 1), (200, -0.2, 1), (400, 0.1, 1)]
    ]
    classes = ["cat", "dog", "owl"]
    labels = [chance.choice(classes) for _ in range(90)]
    guesses = [label if chance.random() < 0.7 else chance.choice(classes + ["yak"]) for label in labels]
    numbers = [round(chance.gauss(10, 4), 4) for _ in range(80)]
    near = [round(number + chance.gauss(0.2, 1), 4) for number in numbers]
    return {
        "mcnemar": [mcnemar(*pair) for pair in pairs],
        "paired": [paired(sample) for sample in samples],
        "scores": [scores(labels, guesses, regression=False), scores(numbers, near, regression=True)],
    }


def test_the_numbers_are_those_of_scipy_statsmodels_and_scikit_learn():
    same(json.loads(FILE.read_text()), expected())


def same(known, now, place="expected"):
    if isinstance(known, dict):
        assert known.keys() == now.keys(), place
        for name in known:
            # Another version draws other resamples.
            if name == "bootstrap":
                assert now[name] == pytest.approx(known[name], abs=0.03), place
            else:
                same(known[name], now[name], f"{place}.{name}")
    elif isinstance(known, list):
        assert len(known) == len(now), place
        for index, (one, other) in enumerate(zip(known, now)):
            same(one, other, f"{place}[{index}]")
    elif isinstance(known, float):
        assert math.isclose(known, now, rel_tol=1e-9, abs_tol=1e-12), place
    else:
        assert known == now, place


if __name__ == "__main__":
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps(expected(), indent=1) + "\n")
