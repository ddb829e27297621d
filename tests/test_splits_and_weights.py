"""What scikit-learn is measured on, and what counts more in fitting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from test_estimators_sklearn import _fit, _signature

from sqlml.errors import SqlmlError
from sqlml.estimators.job import Fitted
from sqlml.scoring import Scorer


def _weighted_table(rows: int = 100) -> pa.Table:
    number = np.arange(rows)
    return pa.table(
        {
            "x": number.astype(float),
            "day": pa.array(number % 30, pa.int32()).cast(pa.date32()),
            "test": pa.array([None if n % 7 == 0 else bool(n % 5 == 0) for n in number]),
            "weight": pa.array(np.where(number < 50, 1.0, 0.0)),
            "two": ["a" if n % 3 else "b" for n in number],
            "amount": np.where(number < 50, 2.0, 1000.0) * number,
        }
    )


def _weighted(estimator: str, target: str, **changes: Any) -> Fitted:
    return _fit(estimator, _signature(target, {"x": "double"}), _weighted_table(), **changes)


def test_a_column_says_what_is_held_out() -> None:
    fitted = _weighted("sklearn.linear_regression", "amount", split_method="column", split_column="test")
    assert (fitted.rows, fitted.held_out) == (83, 17), "NULL is learned from"


def test_the_last_rows_of_an_order_are_held_out() -> None:
    fitted = _weighted("sklearn.linear_regression", "amount", split_method="sequential", split_column="x")
    assert (fitted.rows, fitted.held_out) == (80, 20)
    first = _fit("sklearn.linear_regression", _signature("amount", {"x": "double"}), _weighted_table().slice(0, 80))
    learned = _weighted("sklearn.linear_regression", "amount", split_method="sequential", split_column="x")
    assert learned.rows == first.rows + first.held_out
    by_day = _weighted("sklearn.linear_regression", "amount", split_method="sequential", split_column="day")
    assert by_day.held_out == 20
    assert _weighted("sklearn.linear_regression", "amount", split_method="none").held_out == 0


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
        ("decision_tree", "two", {"class_weights": {"c": 1}}, "class_weights names 'c', which the target never is"),
        ("k_neighbors", "two", {"class_weights": "balanced"}, "KNeighborsClassifier counts every row the same"),
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
