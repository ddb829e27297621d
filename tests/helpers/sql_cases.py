"""One model of every kind of graph, for engines that run it as SQL."""

from __future__ import annotations

from functools import cache
from typing import Any

import pyarrow as pa
import pytest

from helpers.sklearn_fits import fit, hostile_table, signature_of
from sqlml.estimators.sklearn import check
from sqlml.jobs.job import Fitted


@cache
def fitted_once(estimator: str, target: str, **params: Any) -> Fitted:
    return fit(estimator, signature_of(target), params=params, tolerance=1e-6)


def hard_rows(fitted: Fitted) -> pa.Table:
    """Real and hard rows, and texts that differ from a known one in case or in a blank."""
    rows = check.rows(hostile_table(), fitted.signature.features, {})
    odd = rows.slice(0, 3)
    name = "t.e`x t"
    odd = odd.set_column(odd.schema.get_field_index(name), name, pa.array(["A", "a ", "É☃"]))
    return pa.concat_tables([rows, odd])


# One of every kind of graph; tests/spark/engines/test_estimators_as_sql.py has them all.
CASES = [
    ("sklearn.logistic_regression", "three", {}),
    ("sklearn.decision_tree", "flags", {}),
    ("sklearn.hist_gradient_boosting", "two", {"max_iter": 5}),
    ("lightgbm", "three", {"n_estimators": 5}),
    ("xgboost", "two", {"n_estimators": 5}),
    pytest.param("sklearn.linear_regression", "amount", {}, marks=pytest.mark.slow),
    pytest.param("sklearn.random_forest", "three", {"n_estimators": 10}, marks=pytest.mark.slow),
    pytest.param("xgboost", "three", {"n_estimators": 5}, marks=pytest.mark.slow),
]
