import pytest

from diabetes.score import score


class Doubles:
    """A model whose answer can be seen at a glance."""

    def predict(self, rows):
        return [2 * row[0] for row in rows]


def test_scores_a_patient():
    assert score(Doubles(), {"data": [[21.0] + [0.0] * 9]}) == {"result": [42.0]}


@pytest.mark.parametrize("request_body", [{}, [], {"data": []}, {"data": "x"}, {"data": [[1, 2, 3]]}])
def test_refuses_what_is_not_a_list_of_ten_numbers(request_body):
    with pytest.raises(ValueError, match="row"):
        score(Doubles(), request_body)
