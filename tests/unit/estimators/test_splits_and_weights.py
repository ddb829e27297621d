"""What scikit-learn is measured on, and what counts more in fitting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from helpers.sklearn_fits import fit as _fit
from helpers.sklearn_fits import signature_of as _signature
from helpers.weighted_table import weighted_table as _weighted_table

from sqlml.errors import SqlmlError
from sqlml.jobs.job import Fitted
from sqlml.scoring.scorer import Scorer


def _weighted(estimator: str, target: str, **changes: Any) -> Fitted:
    return _fit(estimator, _signature(target, {"x": "double"}), _weighted_table(), **changes)


def _learned_slope(held: np.ndarray[Any, Any], *, by: dict[str, Any], **changes: Any) -> tuple[Fitted, float]:
    """Where the rows that are to be held out lie on y = 1000x and the others on y = 2x, the slope says who was learned;
    `by` is the column that decides."""
    x = np.arange(1.0, len(held) + 1)
    table = pa.table({"x": x, "amount": np.where(held, 1000.0, 2.0) * x, **by})
    fitted = _fit("sklearn.linear_regression", _signature("amount", {"x": "double"}), table, **changes)
    zero, one = Scorer(fitted.onnx, fitted.signature).label([pa.array([0.0, 1.0])]).to_pylist()
    return fitted, one - zero


def test_a_column_says_what_is_held_out() -> None:
    marks = [None if n % 7 == 0 else n % 5 == 0 for n in range(100)]
    held = np.array([mark is True for mark in marks])
    fitted, slope = _learned_slope(held, by={"test": pa.array(marks)}, split_method="column", split_column="test")
    assert slope == pytest.approx(2.0), "NULL is learned from"
    assert (fitted.rows, fitted.held_out) == (83, 17)
    assert fitted.metrics["mae"] == pytest.approx(np.mean(998.0 * (np.flatnonzero(held) + 1))), "measured on the others"


@pytest.mark.parametrize("kind", [pa.float64(), pa.int64(), pa.date32(), pa.timestamp("us", "UTC")])
def test_the_last_rows_of_an_order_are_held_out(kind: pa.DataType) -> None:
    order = np.random.default_rng(0).permutation(100)
    as_integers = pa.array(order, pa.int32() if kind == pa.date32() else pa.int64())
    by = {"day": as_integers.cast(kind)}
    fitted, slope = _learned_slope(order >= 80, by=by, split_method="sequential", split_column="day")
    assert slope == pytest.approx(2.0)
    assert (fitted.rows, fitted.held_out) == (80, 20)


def test_all_rows_are_learned_where_none_is_held_out() -> None:
    fitted = _weighted("sklearn.linear_regression", "amount", split_method="none")
    assert (fitted.rows, fitted.held_out) == (100, 0)


def test_weights_decide_what_is_learned() -> None:
    fitted = _weighted("sklearn.linear_regression", "amount", weight_column="weight", split_method="none")
    answers = Scorer(fitted.onnx, fitted.signature).label([pa.array([0.0, 10.0])]).to_pylist()
    assert answers == pytest.approx([0.0, 20.0], abs=1e-6), "the heavy half lies on y = 2x"
    even = _weighted("sklearn.decision_tree", "two", params={"max_depth": 1}, class_weights={"B": 100})
    shares = Scorer(even.onnx, even.signature).probabilities([pa.array([50.0])]).to_pylist()[0]
    assert dict(shares)["b"] > 0.9
    balanced = _weighted("sklearn.decision_tree", "two", params={"max_depth": 1}, class_weights="balanced")
    same = _weighted("sklearn.decision_tree", "two", params={"max_depth": 1, "class_weight": "balanced"})
    assert balanced.onnx == same.onnx


@pytest.mark.parametrize(
    ("estimator", "target", "changes", "message"),
    [
        (
            "decision_tree",
            "two",
            {"class_weights": {"c": 1}},
            "class_weights names 'c', which is not a label of the target",
        ),
        ("k_neighbors", "two", {"class_weights": "balanced"}, "is not supported by KNeighborsClassifier"),
        ("decision_tree", "two", {"weight_column": "test"}, "weight_column test has values that are NULL"),
    ],
)
def test_what_cannot_be_weighted(estimator: str, target: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SqlmlError, match=message) as found:
        _weighted(f"sklearn.{estimator}", target, **changes)
    assert found.value.condition == "SQLML_OPTION_INVALID"


def test_a_split_that_leaves_nothing_to_learn() -> None:
    table = pa.table({"x": [1.0, 2.0, 3.0], "test": [True] * 3, "two": ["a", "b", "a"]})
    signature = _signature("two", {"x": "double"})
    with pytest.raises(SqlmlError, match="split_column test holds out all rows"):
        _fit("sklearn.decision_tree", signature, table, split_method="column", split_column="test")
    table = pa.table({"x": [1.0, 2.0, 3.0], "test": [False, True, False], "two": ["a", "b", "a"]})
    with pytest.raises(SqlmlError, match="holds out all rows of 'b'"):
        _fit("sklearn.decision_tree", signature, table, split_method="column", split_column="test")
