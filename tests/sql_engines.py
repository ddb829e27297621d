"""Real SQL engines for what the compiler writes: a table goes in, a query's rows come out."""

from __future__ import annotations

import math
import sqlite3
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute

from sqlml.compiler import select
from sqlml.estimators.job import Fitted
from sqlml.scoring import Scorer
from sqlml.signature import BOOLEAN, DATE, NUMBER, TEXT, TIMESTAMP, Signature

TABLE = "s"
_TYPES = {BOOLEAN: pa.bool_(), TEXT: pa.string(), DATE: pa.date32(), TIMESTAMP: pa.timestamp("us")}


@dataclass(frozen=True)
class Answers:
    """A query's rows: the predictions, and [rows, others] the other numbers."""

    predictions: list[Any]
    scores: np.ndarray


def in_duckdb(sql: str, rows: pa.Table) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        connection.register(TABLE, rows)
        return connection.execute(f"SELECT * FROM ({sql}) ORDER BY id").fetchall()


def in_sqlite(sql: str, rows: pa.Table) -> list[tuple[Any, ...]]:
    """Dates and timestamps are texts there; NaN is NULL."""
    with sqlite3.connect(":memory:") as connection:
        names = ", ".join('"' + name.replace('"', '""') + '"' for name in rows.column_names)
        connection.execute(f"CREATE TABLE {TABLE} ({names})")
        texts = [_as_text(column).to_pylist() for column in rows.columns]
        places = ", ".join("?" * len(texts))
        connection.executemany(f"INSERT INTO {TABLE} VALUES ({places})", zip(*texts, strict=True))
        return connection.execute(f"SELECT * FROM ({sql}) ORDER BY id").fetchall()


ENGINES = {"duckdb": in_duckdb, "sqlite": in_sqlite}


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type):
        return pa.compute.strftime(column, format="%Y-%m-%d %H:%M:%S")
    if pa.types.is_date(column.type):
        return column.cast(pa.string())
    return column.cast(pa.float64()) if pa.types.is_decimal(column.type) else column


def typed(rows: pa.Table, signature: Signature) -> pa.Table:
    """The features as an engine's table has them, with an id: a boolean is one, and only a floating column has NaN."""
    columns = {"id": pa.array(range(rows.num_rows))}
    for feature in signature.features:
        column = rows.column(feature.name)
        if feature.kind == NUMBER:
            column = column.cast(pa.float64(), safe=False)
            if feature.type not in ("float", "double"):
                column = pa.compute.if_else(pa.compute.is_finite(column), column, pa.scalar(None, pa.float64()))
        elif feature.kind == BOOLEAN:
            column = column.cast(pa.float64()).cast(pa.int8()).cast(pa.bool_())
        else:
            column = column.cast(_TYPES[feature.kind])
        if feature.kind == TIMESTAMP:
            column = pa.compute.if_else(_in_calendar(column), column, pa.scalar(None, column.type))
        columns[feature.name] = column
    return pa.table(columns)


def _in_calendar(moments: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether the year has four digits, as every engine's calendar has."""
    year = pa.compute.year(moments)
    return pa.compute.and_(pa.compute.greater(year, 0), pa.compute.less(year, 10_000))


def compare(fitted: Fitted, rows: pa.Table, dialect: str, *, tolerance: float = 1e-9, **options: Any) -> int:
    """Asserts that the SQL answers what ONNX Runtime does, row by row; returns the length of the text.

    A label may differ where the best two scores are within the tolerance, if that is not the usual one.
    """
    rows = typed(rows, fitted.signature)
    sql = select(fitted.onnx, fitted.signature, dialect=dialect, table=TABLE, columns=["id"], **options)
    found = ENGINES[dialect](sql, rows)
    columns = [rows.column(name) for name in fitted.signature.names]
    scorer = Scorer(fitted.onnx, fitted.signature)
    raw = scorer.raw(columns)
    assert len(found) == rows.num_rows
    if not found:
        return len(sql)
    expected = raw.get("probabilities", raw.get("scores", raw.get("prediction"))).reshape(len(found), -1)
    first = 2 if "label" in raw else 1
    actual = np.array([[_number(value) for value in row[first:]] for row in found])
    differences = np.abs(actual - expected) / np.maximum(1.0, np.abs(expected))
    differences[(actual == expected) | (np.isnan(actual) & np.isnan(expected))] = 0.0
    worst = np.unravel_index(np.argmax(np.nan_to_num(differences, nan=math.inf)), differences.shape)
    place = int(worst[0])
    row = [column[place].cast(pa.string()).as_py() for column in rows.columns]
    assert differences[worst] <= tolerance, (differences[worst], actual[place], expected[place], row)
    if "label" in raw:
        wanted = scorer.label(columns).to_pylist()
        got = [row[1] for row in found]
        wrong = [place for place in range(len(found)) if _label(got[place], wanted[place]) != wanted[place]]
        if tolerance > 1e-9:
            ordered = np.sort(expected, axis=1)
            wrong = [place for place in wrong if ordered[place, -1] - ordered[place, -2] > tolerance]
        assert not wrong, (len(wrong), got[wrong[0]], wanted[wrong[0]], expected[wrong[0]], actual[wrong[0]])
    return len(sql)


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _label(got: Any, wanted: Any) -> Any:
    """SQLite has no booleans, dates and decimals."""
    return bool(got) if isinstance(wanted, bool) else got
