"""Estimators that take missing numbers themselves, fitted to a table with gaps or without."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa

from sqlml.estimators import CLASSIFICATION, REGRESSION
from sqlml.estimators.sklearn import training as engine
from sqlml.jobs.job import Fitted, Job
from sqlml.signature import Feature, Signature

NATIVE: dict[str, dict[str, Any]] = {
    "sklearn.bagging": {"n_estimators": 4},
    "sklearn.decision_tree": {"max_depth": 6},
    "sklearn.extra_trees": {"n_estimators": 4, "max_depth": 6},
    "sklearn.hist_gradient_boosting": {"max_iter": 8},
    "sklearn.random_forest": {"n_estimators": 4, "max_depth": 6},
}
FEATURES = {
    "gappy": "double",
    "whole": "double",
    "nothing": "double",
    "count": "int",
    "flag": "boolean",
    "day": "date",
    "city": "string",
}


def gappy_table(rows: int = 300, *, gaps: bool = True) -> pa.Table:
    dice = np.random.default_rng(7)
    gappy, whole = dice.normal(size=rows), dice.normal(size=rows)
    count, flag, days = dice.integers(0, 9, rows), dice.random(rows) < 0.5, dice.integers(0, 3_000, rows)
    cities = dice.choice(["Oslo", "Bergen", "Bodø"], rows)
    missing = dice.random((5, rows)) < (0.15 if gaps else 0.0)
    amount = 3.0 * np.where(missing[0], 2.0, np.sign(gappy)) + whole + 0.3 * count + flag + days / 1_000 + missing[4]
    return pa.table(
        {
            "gappy": pa.array(gappy, mask=missing[0]),
            "whole": pa.array(whole),
            "nothing": pa.nulls(rows, pa.float64()),
            "count": pa.array(count.astype(np.int32), mask=missing[1]),
            "flag": pa.array(flag, mask=missing[2]),
            "day": pa.array([dt.date(2015, 1, 1) + dt.timedelta(int(day)) for day in days], mask=missing[3]),
            "city": pa.array(cities, mask=missing[4]),
            "amount": pa.array(amount),
            "label": pa.array(np.where(amount > 5.0, "high", np.where(amount > 1.0, "mid", "low"))),
        }
    )


def signature_of(target: str) -> Signature:
    features = tuple(Feature(*pair) for pair in FEATURES.items())
    if target == "amount":
        return Signature(REGRESSION, features, target, "double")
    return Signature(CLASSIFICATION, features, target, "string")


def fit(estimator: str, target: str, table: pa.Table, **changes: Any) -> Fitted:
    params = changes.pop("params", NATIVE.get(estimator, {}))
    job = Job(estimator, signature_of(target), params, seed=42, test_fraction=0.2, tolerance=1e-9, **changes)
    return engine.fit(job, table, lambda line: None)
