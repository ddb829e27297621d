"""Columns of the query in Spark: renamed to internal names, and converted to numbers, category texts and parts of
dates.

The internal names are f0, f1, … (features, in the signature's order), y (target), s (split column) and w (weight
column), because a user's column may be called anything: `a.b`, `x y`, `Ä`, `select`. Arithmetic is float64 and in the
same order as in the ONNX graph, so that both get the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sqlml.scoring.feature_values import NULL_TEXT, SECONDS_A_DAY
from sqlml.signature import BOOLEAN, DATE, NUMBER, TEXT, TIMESTAMP, Feature, Signature, kind_of


def internal(frame: DataFrame, signature: Signature, **others: str | None) -> DataFrame:
    """The features, the target and other columns under internal names; types stay as they are.

    A text target loses its collation: classes are told apart by their characters, not by comparison.

    Args:
        frame: columns are found by exact name; others than those of the signature are ignored.
        others: internal name → column, for columns that are not in the signature.
    """
    by_position = frame.toDF(*[f"c{position}" for position in range(len(frame.columns))])
    wanted = dict(zip(feature_names(signature), signature.names, strict=True))
    if signature.target is not None:
        wanted["y"] = signature.target
    wanted |= {name: column for name, column in others.items() if column is not None}
    inside = by_position.select(
        *[F.col(f"c{frame.columns.index(name)}").alias(internal_name) for internal_name, name in wanted.items()]
    )
    if signature.target is None:
        return inside
    is_text = kind_of(inside.schema["y"].dataType.simpleString()) == TEXT
    return inside.withColumn("y", F.col("y").cast("string")) if is_text else inside


def feature_names(signature: Signature) -> list[str]:
    """The internal names of the features: f0, f1, …"""
    return [f"f{index}" for index in range(len(signature.features))]


def number(column: Column, feature: Feature, part: str) -> Column:
    """A feature, or a part of a date or timestamp, as a double; NULL if it is missing, NaN or infinite."""
    if feature.kind == NUMBER:
        value = column.cast("double")
    elif feature.kind == BOOLEAN:
        value = column.cast("int").cast("double")
    else:
        value = _PARTS[part](seconds(column, feature)).cast("double")
    return F.when(F.abs(value) < F.lit(math.inf), value)


def text(column: Column) -> Column:
    """A text feature as a category's name; NULL is a category of its own."""
    return F.coalesce(column.cast("string"), F.lit(NULL_TEXT))


# -- dates and times ---------------------------------------------------------------------------------------------------


def seconds(column: Column, feature: Feature) -> Column:
    """Seconds since 1970-01-01 00:00 UTC as a double, dates at midnight; independent of the session's time zone."""
    if feature.kind == DATE:
        return F.unix_date(column).cast("double") * F.lit(SECONDS_A_DAY)
    assert feature.kind == TIMESTAMP, feature
    if feature.type == "timestamp_ntz":
        # All functions that return the microseconds of a timestamp without zone go through the session's time zone.
        minutes = (F.unix_date(column.cast("date")).cast("bigint") * 24 + F.hour(column)) * 60 + F.minute(column)
        micros = (F.extract(F.lit("SECOND"), column) * 1_000_000).cast("bigint")
        return (minutes * 60_000_000 + micros).cast("double") / F.lit(1e6)
    return F.unix_micros(column).cast("double") / F.lit(1e6)


def _date(seconds: Column) -> Column:
    return F.date_from_unix_date(_epoch_day(seconds).cast("int"))


def _epoch_day(seconds: Column) -> Column:
    return F.floor(seconds / F.lit(SECONDS_A_DAY))


def _second_of_day(seconds: Column) -> Column:
    return seconds - _epoch_day(seconds).cast("double") * F.lit(SECONDS_A_DAY)


_PARTS: dict[str, Callable[[Column], Column]] = {
    "epoch_day": _epoch_day,
    "year": lambda seconds: F.year(_date(seconds)),
    "month": lambda seconds: F.month(_date(seconds)),
    "day": lambda seconds: F.dayofmonth(_date(seconds)),
    "dayofweek": lambda seconds: F.dayofweek(_date(seconds)),
    "hour": lambda seconds: F.floor(_second_of_day(seconds) / F.lit(3600.0)),
    "second_of_day": _second_of_day,
}
