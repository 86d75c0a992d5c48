from tumours import predict, rows, train

DATA = "data/training/sample/training.csv"


def test_a_trained_model_names_what_it_has_not_seen():
    data = rows.read(DATA)
    trained, metrics = train.train(data[:200], {"C": 1.0})
    guesses = predict.predict(trained, data[200:])
    assert set(guesses) <= {"malignant", "benign"}
    assert sum(guess == row["label"] for guess, row in zip(guesses, data[200:])) > 0.8 * len(guesses)
    assert 0.8 < metrics["cv_accuracy"] <= 1


def test_features_are_chosen_by_their_names():
    trained, _ = train.train(rows.read(DATA), {"C": 1.0, "features": ["mean texture"]})
    assert trained["names"] == ["mean texture"]
