"""Rows of measured tumours: a CSV file with an id, features, the size and, where it is known, the label."""

import csv

NO_FEATURES = {"id", "size", "label"}


def read(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise ValueError(f"{path} holds no rows")
    return rows


def features(rows, names):
    return [[float(row[name]) for name in names] for row in rows]


def feature_names(rows):
    return [name for name in rows[0] if name not in NO_FEATURES]
