"""Writes the two data sets out of scikit-learn's own breast cancer data (Wolberg, Street, Mangasarian 1995; CC BY 4.0)."""

import csv
from pathlib import Path

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

FEATURES = ["mean radius", "mean texture", "mean smoothness", "mean concavity", "mean symmetry", "worst area"]


def main():
    data = load_breast_cancer()
    places = [list(data.feature_names).index(name) for name in FEATURES]
    rows = [
        {"id": number, **{name: round(float(row[place]), 5) for name, place in zip(FEATURES, places)}}
        | {"size": "large" if row[places[0]] > 14 else "small", "label": data.target_names[target]}
        for number, (row, target) in enumerate(zip(data.data, data.target))
    ]
    training, holdout = train_test_split(rows, test_size=0.5, random_state=0, stratify=[row["label"] for row in rows])
    for name, part in [("training", training), ("holdout", holdout)]:
        with open(Path(__file__).parent / "data" / name / "sample" / f"{name}.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, list(part[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(part)


if __name__ == "__main__":
    main()
