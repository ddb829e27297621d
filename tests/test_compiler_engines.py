"""What the compiler writes, run on real engines: row by row what ONNX Runtime answers."""

from __future__ import annotations

from functools import cache
from typing import Any

import pyarrow as pa
import pytest
from sql_engines import ENGINES, compare
from test_estimators_sklearn import _FEATURES, _fit, _signature, _table

from sqlml.estimators import sklearn_check
from sqlml.estimators.job import Fitted

# Everything but times that SQLite has no digits for.
_HERE = {name: kind for name, kind in _FEATURES.items() if kind not in ("timestamp", "timestamp_ntz")}


@cache
def _fitted(estimator: str, target: str, **params: Any) -> Fitted:
    return _fit(estimator, _signature(target), params=params, tolerance=1e-6)


def _rows(fitted: Fitted) -> pa.Table:
    return sklearn_check.rows(_table(), fitted.signature.features, {})


_CASES = [
    ("sklearn.linear_regression", "amount", {}),
    ("sklearn.logistic_regression", "two", {}),
    ("sklearn.logistic_regression", "three", {}),
    ("sklearn.decision_tree", "three", {}),
    ("sklearn.random_forest", "two", {"n_estimators": 10}),
    ("sklearn.random_forest", "three", {"n_estimators": 10}),
    ("sklearn.hist_gradient_boosting", "two", {"max_iter": 10}),
    ("sklearn.hist_gradient_boosting", "amount", {"max_iter": 10}),
    ("lightgbm", "three", {"n_estimators": 10}),
    ("xgboost", "two", {"n_estimators": 10}),
]


@pytest.mark.parametrize("dialect", ENGINES)
@pytest.mark.parametrize(("estimator", "target", "params"), _CASES, ids=lambda value: str(value))
def test_sql_answers_what_onnx_runtime_does(dialect: str, estimator: str, target: str, params: dict[str, Any]) -> None:
    fitted = _fitted(estimator, target, **params)
    tolerance = 1e-6 if estimator == "xgboost" and dialect == "sqlite" else 1e-9
    compare(fitted, _rows(fitted), dialect, tolerance=tolerance)
