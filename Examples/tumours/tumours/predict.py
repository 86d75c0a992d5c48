"""Scores a model on a data set: MARTLET_MODEL on MARTLET_DATASET, into MARTLET_OUTPUT/predictions.csv."""

import csv
import os
from pathlib import Path

import joblib

from tumours import rows


def predict(trained, data):
    return trained["model"].predict(rows.features(data, trained["names"]))


def main():
    trained = joblib.load(Path(os.environ["MARTLET_MODEL"]) / "model.joblib")
    data = rows.read(os.environ["MARTLET_DATASET"])
    label = os.environ.get("MARTLET_LABEL", "label")
    with open(Path(os.environ["MARTLET_OUTPUT"]) / "predictions.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "label", "prediction", "size"])
        for row, prediction in zip(data, predict(trained, data)):
            writer.writerow([row["id"], row[label], prediction, row["size"]])
    print(f"{len(data)} tumours scored")


if __name__ == "__main__":
    main()
