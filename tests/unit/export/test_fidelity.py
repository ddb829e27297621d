"""The comparison of a graph with its library: what passes, what is refused, and what the refusal says."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from sqlml.errors import SqlmlError
from sqlml.export import fidelity
from sqlml.jobs.job import Fidelity
from sqlml.signature import Signature

_REGRESSION = Signature("regression", (), "y", "double")


def _compare(expected: list[float], actual: list[float], tolerance: float = 1e-6) -> Fidelity:
    rows = pa.table({"x": list(range(len(expected))), "t": [None] * len(expected)})
    return fidelity.compare(None, np.array(expected), None, np.array(actual), rows, tolerance, _REGRESSION)


def test_differences_are_measured() -> None:
    found = _compare([0.5, 0.5, math.nan, math.inf], [0.5, 0.5 + 1e-7, math.nan, math.inf])
    assert found.max_abs_diff == pytest.approx(1e-7)
    assert _compare([1e12], [1e12 + 1.0]).max_abs_diff == 1e-12
    assert _compare([], []).rows == 0


@pytest.mark.parametrize("wrong", [1.1, math.nan, math.inf])
def test_a_difference_beyond_the_tolerance_names_the_worst_row(wrong: float) -> None:
    with pytest.raises(SqlmlError, match="where x = 1, t = NULL") as found:
        _compare([1.0, 1.0, 1.0], [1.01, wrong, 1.0])
    assert found.value.condition == "SQLML_FIDELITY"
    assert found.value.message.startswith(
        "The predictions of the ONNX graph differ from those of the library: the prediction is "
    )


def test_another_label_is_refused_unless_the_scores_are_equal() -> None:
    signature = Signature("classification", (), "y", "string", ("a", "b"))
    rows = pa.table({"x": [1.0]})
    first, second = np.array([0]), np.array([1])
    tie, clear = np.array([[0.5, 0.5 + 1e-10]]), np.array([[0.4999, 0.5001]])
    assert fidelity.compare(second, tie, first, tie, rows, 1e-6, signature).label_mismatches == 1
    with pytest.raises(SqlmlError, match="the label is 'a' by ONNX and 'b' by the library, where x = 1"):
        fidelity.compare(second, clear, first, clear, rows, 1e-6, signature)
