"""What the compiler writes, run on real engines: row by row what ONNX Runtime answers."""

from __future__ import annotations

import shutil
from functools import cache
from typing import Any

import pyarrow as pa
import pytest
from sql_engines import ENGINES, Postgres, compare
from test_estimators_sklearn import _fit, _signature, _table

from sqlml.estimators import sklearn_check
from sqlml.estimators.job import Fitted


@cache
def _fitted(estimator: str, target: str, **params: Any) -> Fitted:
    return _fit(estimator, _signature(target), params=params, tolerance=1e-6)


def _rows(fitted: Fitted) -> pa.Table:
    return sklearn_check.rows(_table(), fitted.signature.features, {})


# One of every kind of graph; tests/test_compiler_coverage.py has them all.
_CASES = [
    ("sklearn.logistic_regression", "three", {}),
    ("sklearn.decision_tree", "flags", {}),
    ("sklearn.hist_gradient_boosting", "two", {"max_iter": 5}),
    ("lightgbm", "three", {"n_estimators": 5}),
    ("xgboost", "two", {"n_estimators": 5}),
    pytest.param("sklearn.linear_regression", "amount", {}, marks=pytest.mark.slow),
    pytest.param("sklearn.random_forest", "three", {"n_estimators": 10}, marks=pytest.mark.slow),
    pytest.param("xgboost", "three", {"n_estimators": 5}, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("estimator", "target", "params"), _CASES)
def test_sql_answers_what_onnx_runtime_does(estimator: str, target: str, params: dict[str, Any]) -> None:
    fitted = _fitted(estimator, target, **params)
    for dialect in ENGINES:
        compare(fitted, _rows(fitted), dialect, tolerance=_tolerance(estimator, dialect))
    # No row, and one row.
    for count in (0, 1):
        compare(fitted, _table().slice(0, count), "duckdb")
        compare(fitted, _table().slice(0, count), "sqlite", tolerance=_tolerance(estimator, "sqlite"))


def _tolerance(estimator: str, dialect: str) -> float:
    """SQLite has no float32, in which XGBoost adds up."""
    return 1e-6 if (estimator, dialect) == ("xgboost", "sqlite") else 1e-9


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("initdb") is None, reason="PostgreSQL is not installed")
def test_postgres_answers_what_onnx_runtime_does() -> None:
    with Postgres() as server:
        for estimator, target, params in (getattr(case, "values", case) for case in _CASES):
            fitted = _fitted(estimator, target, **params)
            compare(fitted, _rows(fitted), "postgres", ask=server)
