"""Every estimator fitted to a small table of all types, and what the manual says of it as SQL."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import random
from functools import cache
from typing import Any

import pyarrow as pa
import pytest
from onnx import ModelProto, helper, numpy_helper

from helpers.folders import ROOT
from sqlml.compiler.operators.trees_as_case import boundary
from sqlml.estimators import CLASSIFICATION, ESTIMATORS, REGRESSION, WITHOUT_TARGET, Estimator, target_ranges
from sqlml.estimators.sklearn import training as engine
from sqlml.jobs.job import Fitted, Job
from sqlml.signature import Feature, Signature

PAGE = ROOT / "sql" / "reference" / "export_sql.md"
_TYPES = {
    "x": "double",
    "z": "float",
    "n": "int",
    "cents": "decimal(10,2)",
    "seen": "boolean",
    "day": "date",
    "moment": "timestamp",
    "colour": "string",
    "one": "double",
    "bit": "int",
}
_MIXED = ("x", "z", "n", "cents", "seen", "day", "moment", "colour")
_FLAT = ("x", "z", "n", "colour")
# What counts are: not negative.
_COUNTS = ("one", "n", "colour")
_TASKS = (CLASSIFICATION, REGRESSION, *WITHOUT_TARGET)
PAIRS = [(row, task) for row in ESTIMATORS for task in _TASKS if task in row.classes]


@cache
def mixed_table(rows: int = 150) -> pa.Table:
    dice = random.Random(11)
    columns: dict[str, list[Any]] = {name: [] for name in (*_TYPES, "two", "three", "amount", "positive")}
    for _ in range(rows):
        x, z = dice.gauss(0.0, 1.0), dice.uniform(-3.0, 3.0)
        colour = dice.choice(["red", "grün", "", "O'Hara", None])
        day = dt.date(2020, 1, 1) + dt.timedelta(days=dice.randrange(-400, 400))
        score = x + (colour == "red") - 0.3 * z + dice.gauss(0.0, 0.5)
        moment = dt.datetime(2021, 3, 1) + dt.timedelta(
            seconds=dice.randrange(10**7), microseconds=dice.randrange(10**6)
        )
        row = {
            "x": dice.choice([x, x, x, x, x, None, math.nan, math.inf]),
            "z": dice.choice([z, z, z, None]),
            "n": dice.randrange(5),
            "cents": decimal.Decimal(dice.randrange(10_000)).scaleb(-2),
            "seen": dice.choice([True, False, None]),
            "day": dice.choice([day, day, None]),
            "moment": moment,
            "colour": colour,
            "one": abs(x),
            "bit": int(score > 0.2),
            "two": "yes" if score > 0 else "no",
            "three": "häh" if score < -0.5 else "b" if score < 0.5 else "a",
            "amount": score,
            "positive": math.exp(0.3 * score),
        }
        for name, value in row.items():
            columns[name].append(value)
    kinds = {"z": pa.float32(), "n": pa.int32(), "moment": pa.timestamp("us")}
    return pa.table({name: pa.array(values, kinds.get(name)) for name, values in columns.items()})


def job_of(row: Estimator, task: str, target: str | None) -> Job:
    # A model that keeps training rows is a text that grows with them and with the columns. A Gaussian process needs all
    # columns: between rows that few of them hardly tell apart it is dominated by rounding.
    few = row.most_rows is not None and row.noun != "gaussian_process"
    names: tuple[str, ...] = _COUNTS if row.counts else _FLAT if few else _MIXED
    if row.one_number:
        names = ("x",)
    kind = {CLASSIFICATION: "string", REGRESSION: "double"}.get(task, "int")
    if task == "dimensionality_reduction":
        kind = "double"
    signature = Signature(task, tuple(Feature(name, _TYPES[name]) for name in names), target, kind)
    return Job(row.name, signature, row.quick, seed=42, test_fraction=0.2 if target else 0.0, tolerance=1e-6)


def targets_of(row: Estimator, task: str) -> list[str | None]:
    if task in WITHOUT_TARGET:
        return [None]
    if task == REGRESSION:
        positive = row.censored or target_ranges.of(row, row.quick) is not None
        return ["positive" if positive else "amount"]
    return ["two"] if row.two_classes else ["two", "three"]


def fit(job: Job, row: Estimator, request: pytest.FixtureRequest) -> Fitted:
    if not row.distributed:
        return engine.fit(job, mixed_table(), lambda line: None)
    from sqlml.estimators.mllib import training as mllib

    spark = request.getfixturevalue("spark")
    frame = spark.createDataFrame(mixed_table().to_pylist(), schema=_schema()).coalesce(1).cache()
    try:
        return mllib.fit(job, frame, lambda text: None, lambda: False)
    finally:
        frame.unpersist()


def _schema() -> str:
    others = {"two": "string", "three": "string", "amount": "double", "positive": "double"}
    return ", ".join(f"{name} {kind}" for name, kind in {**_TYPES, **others}.items())


def first_splits(onnx: bytes) -> list[float]:
    """Where the trees split the first feature: the thresholds, and the doubles around their boundaries in float32."""
    found = []
    for node in ModelProto.FromString(onnx).graph.node:
        if node.op_type == "TreeEnsemble":
            read = {one.name: helper.get_attribute_value(one) for one in node.attribute}
            splits = numpy_helper.to_array(read["nodes_splits"]).tolist()
            found += [split for split, feature in zip(splits, read["nodes_featureids"], strict=True) if feature == 0]
    # `rows` adds the doubles on both sides of each.
    return [value for split in found[:10] for value in (split, boundary(split)) if math.isfinite(value)]


def published_as_compiled(row: Estimator, task: str) -> bool:
    """Whether the manual says so."""
    return published_lines()[row.name, task].endswith("| yes |\n")


def published_lines() -> dict[tuple[str, str], str]:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines(keepends=True) if line.startswith("| `")]
    cells = [[cell.strip(" `") for cell in line.split("|")[1:3]] for line in lines]
    return {(name, task): line for (name, task), line in zip(cells, lines, strict=True)}
