"""Models of scikit-learn and of its like, fitted to a table of columns that are hard to prepare."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import random
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from sqlml.estimators import ESTIMATORS, WITHOUT_TARGET, target_ranges
from sqlml.estimators.sklearn import training as engine
from sqlml.importing import validation
from sqlml.jobs.job import Fitted, Job
from sqlml.signature import Feature, Signature

ROWS = [row for row in ESTIMATORS if row.engine == "sklearn"]
# What learns from one number only is in tests/unit/export/test_isotonic.py.
SUPERVISED = [row for row in ROWS if not set(row.classes) & set(WITHOUT_TARGET) and not row.one_number]
QUICK = {row.name: row.quick for row in ESTIMATORS}
# What they learn from must not be negative, or have more rows than columns; they have tests of their own.
PICKY = {row.name for row in ROWS if row.counts or target_ranges.of(row, row.quick) is not None}
PICKY.add("sklearn.quadratic_discriminant_analysis")
FEATURES = {
    "epoch": "double",  # seconds within two hours: equal in float32
    "place": "float",
    "id > 2^24": "bigint",
    "NaN": "double",
    "constant": "int",
    "nothing": "double",
    "Preis": "decimal(38,10)",
    "cents": "decimal(10,2)",
    "tiny": "tinyint",
    "flag": "boolean",
    "day": "date",
    "moment": "timestamp",
    "clock": "timestamp_ntz",
    "t.e`x t": "string",
    "many": "string",
    "never": "varchar(20)",
}
TARGETS = {"two": "string", "three": "int", "flags": "boolean", "amount": "double"}


@cache
def hostile_table(rows: int = 400) -> pa.Table:
    dice = random.Random(5)
    gauss = [dice.gauss(0.0, 1.0) for _ in range(rows)]
    text = [dice.choice(["a", "b", "é☃", "", None]) for _ in range(rows)]
    epoch = [1.7e9 + dice.randrange(7_200) for _ in range(rows)]
    score = [math.sin((e - 1.7e9) / 1_000) + g + (t == "") for e, g, t in zip(epoch, gauss, text, strict=True)]
    moments = [1_500_000_000_000_000 + dice.randrange(10**17) for _ in range(rows)]
    holes = [dice.choice([g, g, g, None, math.nan, math.inf, -math.inf]) for g in gauss]
    columns = {
        "epoch": pa.array(epoch),
        "place": pa.array([48.85 + g * 0.002 for g in gauss], pa.float32()),
        "id > 2^24": pa.array([2**24 + dice.randrange(5_000) for _ in range(rows)]),
        "NaN": pa.array(holes, pa.float64()),
        "constant": pa.array([7] * rows, pa.int32()),
        "nothing": pa.nulls(rows, pa.float64()),
        "Preis": pa.array([decimal.Decimal(dice.randrange(10**20)).scaleb(-10) for _ in range(rows)]),
        "cents": pa.array([decimal.Decimal(dice.randrange(-(10**9), 10**9)).scaleb(-2) for _ in range(rows)]),
        "tiny": pa.array([dice.choice([None, -128, 127, 0]) for _ in range(rows)], pa.int8()),
        "flag": pa.array([dice.choice([None, True, False]) for _ in range(rows)]),
        "day": pa.array([dice.choice([None, dt.date(1960, 2, 29), dt.date(2024, 12, 31)]) for _ in range(rows)]),
        "moment": pa.array(moments, pa.timestamp("us", "Europe/Berlin")),
        "clock": pa.array([-m for m in moments], pa.timestamp("us")),
        "t.e`x t": pa.array(text),
        "many": pa.array([f"c{int(dice.expovariate(1 / 60))}" for _ in range(rows)]),
        "never": pa.nulls(rows, pa.string()),
        "two": pa.array(["yes" if s > 0 else "nö" for s in score]),
        "three": pa.array([int(np.digitize(s, [-0.5, 0.7])) * 10 for s in score], pa.int32()),
        "flags": pa.array([s > 0.2 for s in score]),
        "amount": pa.array(score),
    }
    return pa.table(columns)


def signature_of(target: str, features: dict[str, str] | None = None, target_type: str = "") -> Signature:
    kind = target_type or TARGETS[target]
    task = "regression" if target == "amount" and not target_type else "classification"
    return Signature(task, tuple(Feature(*pair) for pair in (features or FEATURES).items()), target, kind)


def fit(estimator: str, signature: Signature, table: pa.Table | None = None, **changes: Any) -> Fitted:
    params = changes.pop("params", QUICK[estimator])
    job = Job(estimator, signature, params, seed=42, test_fraction=0.2, tolerance=1e-9)
    fitted = engine.fit(replace(job, **changes), hostile_table() if table is None else table, lambda line: None)
    validation.read(fitted.onnx)  # whatever is written here may be imported elsewhere
    return fitted


def plain_signature(table: pa.Table, target_type: str = "") -> Signature:
    """All columns but the last as doubles or texts, and the last as the target."""
    *names, target = table.column_names
    kinds = {name: "string" if pa.types.is_string(table.schema.field(name).type) else "double" for name in names}
    return signature_of(target, kinds, target_type)
