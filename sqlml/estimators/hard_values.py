"""Values that have been scored wrongly somewhere, of every kind that both engines check alike."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute

from sqlml.signature import BOOLEAN, DATE, TEXT, TIMESTAMP

_DAY_MICROS = 86_400_000_000
# Microseconds since 1970-01-01 of the first and last day of the calendar, of a day before 1970, of a leap day's end.
_MICROS = (-62_135_596_800_000_000, -1, 0, 1_709_251_199_999_999, 253_402_300_799_999_999)
NUMBERS = (float("nan"), float("inf"), float("-inf"), 1e30, -1e30, -0.0)
# For what computes in float32, wholly or in one of its members.
BEYOND_FLOAT32 = (4e38, -4e38, 1e308, -1e308)


def of_kind(kind: str, arrow: pa.DataType) -> pa.Array | None:
    """NULL and hard values for a column of this kind and Arrow type; None for numbers, whose ranges differ."""
    known: dict[str, list[Any]] = {
        TEXT: ["", "never seen \N{SNOWMAN}", "NULL"],
        BOOLEAN: [False, True],
        DATE: [micros // _DAY_MICROS for micros in _MICROS],
        TIMESTAMP: list(_MICROS),
    }
    if kind not in known:
        return None
    values = known[kind]
    if kind in (DATE, TIMESTAMP):
        return pa.array([None, *values], pa.int32() if kind == DATE else pa.int64()).cast(arrow)
    if pa.types.is_floating(arrow):
        values = [float(value) for value in values]
    return pa.array([None, *values], arrow)


def inside(values: pa.Array, column: pa.ChunkedArray) -> pa.Array:
    """Those of the values that lie within the range of the column: texts, NULL and what counts as NULL always do."""
    if pa.types.is_string(values.type):
        return values
    known = column.filter(pa.compute.is_finite(column)) if pa.types.is_floating(column.type) else column
    ends = pa.compute.min_max(known)
    low, high = ends["min"], ends["max"]
    kept = pa.compute.and_(pa.compute.greater_equal(values, low), pa.compute.less_equal(values, high))
    if pa.types.is_floating(values.type):
        # Missing and infinite values are imputed; nothing of them is outside.
        kept = pa.compute.or_(kept, pa.compute.invert(pa.compute.is_finite(values)))
    return values.filter(pa.compute.or_kleene(kept, pa.compute.is_null(values)))
