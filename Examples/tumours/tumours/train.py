"""Trains a classifier on MARTLET_DATASET and writes what Martlet picks up: model, numbers, parameters."""

import json
import os
from pathlib import Path

import joblib
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tumours import rows


def train(data, parameters):
    names = parameters.get("features") or rows.feature_names(data)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=parameters["C"]))
    table, labels = rows.features(data, names), [row["label"] for row in data]
    accuracy = cross_val_score(model, table, labels, cv=5).mean()
    return {"names": names, "model": model.fit(table, labels)}, {"cv_accuracy": float(accuracy)}


def main():
    parameters = json.loads(Path("parameters.json").read_text())
    data = rows.read(os.environ.get("MARTLET_DATASET", "data/training/sample/training.csv"))
    trained, metrics = train(data, parameters)
    folder = Path(os.environ.get("MARTLET_OUTPUT", "outputs"))
    (folder / "model").mkdir(parents=True, exist_ok=True)
    joblib.dump(trained, folder / "model" / "model.joblib")
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "params.json").write_text(json.dumps(parameters))
    print(f"{len(trained['names'])} features: accuracy {metrics['cv_accuracy']:.3f} in cross-validation")


if __name__ == "__main__":
    main()
