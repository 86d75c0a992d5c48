"""Trains a ridge regression on scikit-learn's diabetes data and writes what Martlet picks up.

Ordinary code: it knows nothing of Martlet but the folder named by MARTLET_OUTPUT.
"""

import json
import os
from pathlib import Path

import joblib
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split


def read_parameters(path):
    """The section `training`; a file without it trains with the defaults, and says so."""
    parameters = json.loads(Path(path).read_text())
    if "training" not in parameters:
        print(f"{path} has no section 'training': using the defaults")
    return {"alpha": 1.0, "test_size": 0.2, "random_state": 0} | parameters.get("training", {})


def split(parameters):
    """The same patients are held back in every run: scores of different commits can be compared."""
    rows, progression = load_diabetes(return_X_y=True)
    return train_test_split(
        rows, progression, test_size=parameters["test_size"], random_state=parameters["random_state"]
    )


def train(parameters):
    train_rows, test_rows, train_progression, test_progression = split(parameters)
    model = Ridge(alpha=parameters["alpha"]).fit(train_rows, train_progression)
    return model, {"mse": float(mean_squared_error(test_progression, model.predict(test_rows)))}


def save(model, metrics, parameters, folder):
    (folder / "model").mkdir(parents=True, exist_ok=True)
    joblib.dump(model, folder / "model" / "model.joblib")
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "params.json").write_text(json.dumps(parameters))


def main():
    parameters = read_parameters("parameters.json")
    model, metrics = train(parameters)
    save(model, metrics, parameters, Path(os.environ.get("MARTLET_OUTPUT", "outputs")))
    print(f"alpha {parameters['alpha']}: mse {metrics['mse']:.2f} on patients it has not seen")


if __name__ == "__main__":
    main()
