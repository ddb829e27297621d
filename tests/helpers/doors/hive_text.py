"""Python values as Spark prints them in its shell and over JDBC (`org.apache.spark.sql.execution.HiveResult`)."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any


def cell(value: Any, *, single: bool = False) -> str:
    """A value at the top of a row."""
    return "NULL" if value is None else _text(value, single)


def _text(value: Any, single: bool = False) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return double(_shortest_single(value) if single else value)
    if isinstance(value, datetime):
        return _timestamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode()
    if isinstance(value, Mapping):
        return "{" + ",".join(sorted(f"{_nested(key)}:{_nested(item)}" for key, item in value.items())) + "}"
    if hasattr(value, "asDict"):
        return "{" + ",".join(f"{json.dumps(name)}:{_nested(item)}" for name, item in value.asDict().items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ",".join(map(_nested, value)) + "]"
    return str(value)


def _nested(value: Any) -> str:
    if value is None:
        return "null"
    return f'"{value}"' if isinstance(value, str) else _text(value)


def _timestamp(value: datetime) -> str:
    text = value.replace(tzinfo=None).isoformat(sep=" ")
    return text.rstrip("0") if value.microsecond else text


def double(value: float) -> str:
    """`java.lang.Double.toString`: 1.0, 1.0E-7, 1.2345678E7, NaN, Infinity."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        text = format(Decimal(repr(value)), "f")
        return text if "." in text else f"{text}.0"
    mantissa, _, exponent = f"{Decimal(repr(value)).normalize():E}".partition("E")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}E{int(exponent)}"


def _shortest_single(value: float) -> float:
    """The double whose text is the shortest that reads back as the same 32-bit float."""
    for digits in range(1, 10):
        short = float(f"{value:.{digits}g}")
        if struct.pack("f", short) == struct.pack("f", value):
            return short
    return value
