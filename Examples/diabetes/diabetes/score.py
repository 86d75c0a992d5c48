"""Scores patients: no file, no network, so that it can be tested by itself."""

FEATURES = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]


def score(model, request):
    """`{"data": [[ten numbers], ...]}` becomes `{"result": [progression, ...]}`, one for each row."""
    rows = request.get("data") if isinstance(request, dict) else None
    if not isinstance(rows, list) or not rows:
        raise ValueError('the request needs "data": a list of rows')
    for row in rows:
        if not isinstance(row, list) or len(row) != len(FEATURES):
            raise ValueError(f"each row needs {len(FEATURES)} numbers: {', '.join(FEATURES)}")
    return {"result": [float(value) for value in model.predict(rows)]}
