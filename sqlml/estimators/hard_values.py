"""Edge-case values for the fidelity check, common to all engines: values that some exported graph has scored wrongly
before."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute

from sqlml.signature import BOOLEAN, DATE, TEXT, TIMESTAMP

_DAY_MICROS = 86_400_000_000
# In microseconds since 1970-01-01: the calendar's first day, just before 1970, 1970, a leap day's end, the last day.
_MICROS = (-62_135_596_800_000_000, -1, 0, 1_709_251_199_999_999, 253_402_300_799_999_999)
NUMBERS = (float("nan"), float("inf"), float("-inf"), 1e30, -1e30, -0.0)
# For models that compute in float32, entirely or in a member.
BEYOND_FLOAT32 = (4e38, -4e38, 1e308, -1e308)


def of_kind(kind: str, arrow: pa.DataType) -> pa.Array | None:
    """NULL and edge cases for a column of this kind and Arrow type; None for numbers, whose ranges differ by engine."""
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
    """The values within the column's range. Strings, and NULL, NaN and infinity, which are imputed, are always kept."""
    if pa.types.is_string(values.type):
        return values
    known = column.filter(pa.compute.is_finite(column)) if pa.types.is_floating(column.type) else column
    ends = pa.compute.min_max(known)
    low, high = ends["min"], ends["max"]
    kept = pa.compute.and_(pa.compute.greater_equal(values, low), pa.compute.less_equal(values, high))
    if pa.types.is_floating(values.type):
        # Missing and infinite values are imputed, so they cannot be out of range.
        kept = pa.compute.or_(kept, pa.compute.invert(pa.compute.is_finite(values)))
    return values.filter(pa.compute.or_kleene(kept, pa.compute.is_null(values)))
