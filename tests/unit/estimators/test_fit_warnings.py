"""Which fits come with a warning."""

from __future__ import annotations

import pytest

from sqlml.estimators import fit_warnings


@pytest.mark.parametrize(
    ("r2", "held_out", "said"),
    [
        (-0.0301, 20, ("r2 is -0.0301 on the 20 held-out rows, so the mean of y would predict them better.",)),
        (0.0, 20, ()),
        (float("nan"), 20, ()),
        # The training rows say nothing about others.
        (-1.0, 0, ()),
    ],
)
def test_worse_than_the_mean(r2: float, held_out: int, said: tuple[str, ...]) -> None:
    assert fit_warnings.of_fit({"r2": r2, "mae": 1.0}, held_out, [], (), "y") == said


def test_classes_of_one_row() -> None:
    labels = tuple("abcdefg")
    (said,) = fit_warnings.of_fit({"accuracy": 1.0}, 5, [1, 2, 1, 1, 1, 1, 1], labels, "y")
    assert said.startswith("6 labels of y have only one row each ('a', 'c', 'd', 'e', 'f', …), ")
    (said,) = fit_warnings.of_fit({"accuracy": 1.0}, 5, [2, 1], (3, 4), "y")
    assert said.startswith("The label 4 of y has only one row, ")
    assert fit_warnings.of_fit({"accuracy": 1.0}, 5, [2, 2], (True, False), "y") == ()
