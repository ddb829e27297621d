"""Every estimator as SQL: which of them can be written, and that DuckDB and SQLite then answer what ONNX Runtime does.
And which of them can be compiled into a query of Spark's; what they answer there is in test_catalyst.py.

`--update-golden` writes what was found into the manual's table.
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from onnx import ModelProto, helper, numpy_helper
from sql_engines import compare
from unused import check_unused

from sqlml.compiler.catalyst import program
from sqlml.compiler.feature_usage import used_features
from sqlml.compiler.operators.trees_as_case import boundary
from sqlml.errors import SqlmlError
from sqlml.estimators import (
    ANOMALY_DETECTION,
    CLASSIFICATION,
    CLUSTERING,
    ESTIMATORS,
    REGRESSION,
    WITHOUT_TARGET,
    Estimator,
    target_ranges,
)
from sqlml.estimators.sklearn import check
from sqlml.estimators.sklearn import training as engine
from sqlml.jobs.job import Fitted, Job
from sqlml.signature import Feature, Signature

_PAGE = Path(__file__).parents[1] / "sql" / "reference" / "export_sql.md"
_HEADER = """# Which models can be SQL, and which are compiled

What `EXPORT MODEL … FORMAT sql` can write. Each model was fitted, written, and run by DuckDB and SQLite on real and on
hard rows: NULL, NaN, infinities, categories never seen, thresholds and the doubles beside them. The labels are those of
ONNX Runtime, the scores differ by 1e-9 at most, relative above 1. Some of each kind also ran on PostgreSQL and Spark;
what the other engines get was only parsed.

A model of models (voting, stacking) can be SQL where its members can. A model that keeps training rows (support vector
machines, Gaussian processes) becomes a text that grows with them, and is refused where it is too long for the engine.

What engines do in their own ways:

- XGBoost adds up in float32. Engines without it (BigQuery, ClickHouse, MySQL, Snowflake, SQLite) add up in double:
  scores differ by 1e-6 at most, and a label where two are as near.
- T-SQL takes texts for equal that differ in blanks at their end.
- A feature with a collation is refused by name: no two engines have the same ones. Trailing blanks of CHAR(n) are cut.
- SQLite keeps dates and timestamps as texts: `YYYY-MM-DD`, and `YYYY-MM-DD HH:MM:SS` with up to six digits after a
  point.
- A timestamp is read as UTC, or in the zone of the session where the engine does so.
- A column that was an integer or a decimal in training must not have NaN.
- An engine that fails on overflow, such as PostgreSQL, also does so for numbers near the largest double.
- Oracle is left out: its numbers are decimal, and its empty text is NULL.

The last column says which of them PREDICT can compile into a query of Spark's, without Python: see
[engines](engines.md). There trees are no text; what has more than some thousand operations is left to ONNX Runtime.

Written by `pytest tests/test_compiler_coverage.py -m "" --update-golden`.

| estimator | task | as SQL | compiled |
|---|---|---|---|
"""
# One of every kind of graph is in `make test`, all of them in `make test-all`.
_SLOW = (
    *(
        "lightgbm",
        "mllib.gradient_boosting",
        "mllib.logistic_regression",
        "sklearn.gaussian_mixture",
        "sklearn.k_means",
    ),
    *("sklearn.k_neighbors", "sklearn.poisson_regression", "sklearn.random_forest", "sklearn.stacking", "xgboost"),
)
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
_PAIRS = [(row, task) for row in ESTIMATORS for task in _TASKS if task in row.classes]


@cache
def _table(rows: int = 150) -> pa.Table:
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


def _job(row: Estimator, task: str, target: str | None) -> Job:
    # A model that keeps training rows is a text that grows with them and with the columns. A Gaussian process needs all
    # columns: between rows that few of them hardly tell apart it is dominated by rounding.
    few = row.most_rows is not None and row.noun != "gaussian_process"
    names: tuple[str, ...] = _COUNTS if row.counts else _FLAT if few else _MIXED
    if row.one_number:
        names = ("x",)
    kind = {CLASSIFICATION: "string", CLUSTERING: "int", ANOMALY_DETECTION: "boolean"}.get(task, "double")
    signature = Signature(task, tuple(Feature(name, _TYPES[name]) for name in names), target, kind)
    return Job(row.name, signature, row.quick, seed=42, test_fraction=0.2 if target else 0.0, tolerance=1e-6)


def _targets(row: Estimator, task: str) -> list[str | None]:
    if task in WITHOUT_TARGET:
        return [None]
    if task == REGRESSION:
        positive = row.censored or target_ranges.of(row, row.quick) is not None
        return ["positive" if positive else "amount"]
    return ["two"] if row.two_classes else ["two", "three"]


def _fit(job: Job, row: Estimator, request: pytest.FixtureRequest) -> Fitted:
    if not row.distributed:
        return engine.fit(job, _table(), lambda line: None)
    from sqlml.estimators.mllib import training as mllib

    spark = request.getfixturevalue("spark")
    frame = spark.createDataFrame(_table().to_pylist(), schema=_schema()).coalesce(1).cache()
    try:
        return mllib.fit(job, frame, lambda text: None, lambda: False)
    finally:
        frame.unpersist()


def _schema() -> str:
    others = {"two": "string", "three": "string", "amount": "double", "positive": "double"}
    return ", ".join(f"{name} {kind}" for name, kind in {**_TYPES, **others}.items())


def _splits(onnx: bytes) -> list[float]:
    """Where the trees split the first feature: the thresholds, and the doubles around their boundaries in float32."""
    found = []
    for node in ModelProto.FromString(onnx).graph.node:
        if node.op_type == "TreeEnsemble":
            read = {one.name: helper.get_attribute_value(one) for one in node.attribute}
            splits = numpy_helper.to_array(read["nodes_splits"]).tolist()
            found += [split for split, feature in zip(splits, read["nodes_featureids"], strict=True) if feature == 0]
    # `rows` adds the doubles on both sides of each.
    return [value for split in found[:10] for value in (split, boundary(split)) if math.isfinite(value)]


def _compiled(fitted: Fitted) -> bool:
    signature = fitted.signature
    used, given = used_features(fitted.onnx, signature), [feature.type for feature in signature.features]
    return program(fitted.onnx, signature, given, used) is not None


def published_as_compiled(row: Estimator, task: str) -> bool:
    """Whether the manual says so."""
    return _lines()[row.name, task].endswith("| yes |\n")


def _line(row: Estimator, task: str, said: str, compiled: bool) -> str:
    return f"| `{row.name}` | {task} | {said} | {'yes' if compiled else 'no'} |\n"


@pytest.fixture(scope="module")
def published(request: pytest.FixtureRequest) -> Iterator[dict[tuple[str, str], str]]:
    lines: dict[tuple[str, str], str] = {}
    yield lines
    if request.config.getoption("--update-golden"):
        lines = (_lines() if _PAGE.exists() else {}) | lines
        found = [lines[row.name, task] for row, task in _PAIRS if (row.name, task) in lines]
        _PAGE.write_text(_HEADER + "".join(found), encoding="utf-8")


def _lines() -> dict[tuple[str, str], str]:
    lines = [line for line in _PAGE.read_text(encoding="utf-8").splitlines(keepends=True) if line.startswith("| `")]
    cells = [[cell.strip(" `") for cell in line.split("|")[1:3]] for line in lines]
    return {(name, task): line for (name, task), line in zip(cells, lines, strict=True)}


def test_the_manual_has_a_line_for_every_estimator() -> None:
    assert list(_lines()) == [(row.name, task) for row, task in _PAIRS]
    assert _PAGE.read_text(encoding="utf-8").startswith(_HEADER)


def _case(row: Estimator, task: str) -> Any:
    mark = pytest.mark.slow if row.name in _SLOW else pytest.mark.nightly
    return pytest.param(row, task, id=f"{row.name}-{task}", marks=mark)


@pytest.mark.parametrize(("row", "task"), [_case(*pair) for pair in _PAIRS])
def test_every_estimator_as_sql(
    request: pytest.FixtureRequest, published: dict[tuple[str, str], str], row: Estimator, task: str
) -> None:
    said, compiled = "yes", True
    for target in _targets(row, task):
        fitted = _fit(_job(row, task, target), row, request)
        rows = check.rows(_table(), fitted.signature.features, {"x": _splits(fitted.onnx)}, inside=row.noisy)
        check_unused(fitted.onnx, fitted.signature, rows)
        compiled &= _compiled(fitted)
        try:
            for dialect in ("duckdb", "sqlite"):
                close = row.engine == "xgboost"
                compare(fitted, rows, dialect, tolerance=1e-6 if close and dialect == "sqlite" else 1e-9)
        except SqlmlError as error:
            assert error.condition == "SQLML_MODEL_NOT_SQL"
            said = f"no: {error.message.partition('operator ')[2].rstrip('.')}"
    published[row.name, task] = _line(row, task, said, compiled)
    assert request.config.getoption("--update-golden") or _lines()[row.name, task] == published[row.name, task]
