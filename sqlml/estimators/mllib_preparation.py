"""Spark's side of a Preparation: fitted by aggregates over the training rows, applied as columns, never collected.

Inside, columns are called f0, f1, … (the features, in the signature's order) and y (the target), because a user's
column may be called anything: `a.b`, `x y`, `Ä`, `select`. Arithmetic is float64 and written in the same order as the
ONNX graph's, so that a row gives the same bits in both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from pyspark.ml.feature import OneHotEncoder, VectorAssembler
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from sqlml.errors import SqlmlError
from sqlml.estimators.preparation import (
    MAX_CATEGORIES,
    MOST_DISTINCT_ROWS,
    PARTS,
    CategoryColumn,
    NumberColumn,
    Preparation,
)
from sqlml.scoring import NULL_TEXT, SECONDS_A_DAY
from sqlml.signature import BOOLEAN, DATE, NUMBER, TEXT, TIMESTAMP, Feature, Signature, kind_of


def internal(frame: DataFrame, signature: Signature) -> DataFrame:
    """The features and the target, if there is one, by position, under names of our own; types stay as they are.

    Only a text target loses its collation: classes are told apart by what they are, not by how they compare.

    Args:
        frame: its columns are found by exact name; it may have more than the signature names.
    """
    by_position = frame.toDF(*[f"c{position}" for position in range(len(frame.columns))])
    wanted = dict(zip(feature_names(signature), signature.names, strict=True))
    if signature.target is not None:
        wanted["y"] = signature.target
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


def fit(frame: DataFrame, signature: Signature, *, rows: int, scale: bool) -> Preparation:
    """Learns means, scales and categories from the training rows in two or three aggregates.

    Sums are taken of plain differences and not by Spark's `stddev`, whose merge depends on the order of the partitions.

    Args:
        frame: the training rows, with internal names.
        rows: how many they are.
        scale: whether the estimator wants mean 0 and deviation 1 (sample deviation, as MLlib's StandardScaler).

    Raises:
        SqlmlError: SQLML_FEATURE_UNUSABLE for a text feature whose values are all different.
    """
    columns = [
        (feature, part, name)
        for feature, name in zip(signature.features, feature_names(signature), strict=True)
        if feature.kind != TEXT
        for part in PARTS.get(feature.kind, ("",))
    ]
    values = [number(F.col(name), feature, part) for feature, part, name in columns]
    means = _means(frame, values)
    scales = _scales(frame, values, means, rows) if scale else [1.0] * len(values)
    numbers = tuple(
        NumberColumn(feature.name, part, impute=mean, mean=mean if scale else 0.0, scale=deviation)
        for (feature, part, _), mean, deviation in zip(columns, means, scales, strict=True)
    )
    return Preparation(numbers=numbers, categories=_categories(frame, signature, rows))


def transform(frame: DataFrame, signature: Signature, preparation: Preparation, *, keep: Sequence[str]) -> DataFrame:
    """The columns `keep` and the feature vector `x` in the preparation's layout."""
    names = dict(zip(signature.names, feature_names(signature), strict=True))
    features = {feature.name: feature for feature in signature.features}
    numbers = []
    for index, column in enumerate(preparation.numbers):
        value = number(F.col(names[column.feature]), features[column.feature], column.part)
        value = F.coalesce(value, F.lit(column.impute))
        if column.mean != 0.0 or column.scale != 1.0:
            value = (value - F.lit(column.mean)) / F.lit(column.scale)
        numbers.append(value.alias(f"n{index}"))
    indexes = [
        _index(F.col(names[column.feature]), column).alias(f"i{k}", metadata=_nominal(column))
        for k, column in enumerate(preparation.categories)
    ]
    blocks = [f"o{k}" for k in range(len(indexes))]
    encoded = frame.select(*keep, *numbers, *indexes)
    if indexes:
        encoder = OneHotEncoder(inputCols=[f"i{k}" for k in range(len(indexes))], outputCols=blocks, dropLast=True)
        encoded = encoder.fit(encoded).transform(encoded)
    parts = [*[f"n{k}" for k in range(len(numbers))], *blocks]
    vectors = VectorAssembler(inputCols=parts, outputCol="x", handleInvalid="error").transform(encoded)
    # Without the width in the metadata MLlib reads a row to find it; with MLlib's own metadata its trees would take a
    # 0/1 column for a category and split on sets.
    width = len(numbers) + sum(column.width for column in preparation.categories)
    return vectors.select(*keep, "x").withMetadata("x", {"ml_attr": {"num_attrs": width}})


def number(column: Column, feature: Feature, part: str) -> Column:
    """A feature, or a part of a date or timestamp, as a double; NULL where it is missing, NaN or infinite."""
    if feature.kind == NUMBER:
        value = column.cast("double")
    elif feature.kind == BOOLEAN:
        value = column.cast("int").cast("double")
    else:
        value = _PARTS[part](_seconds(column, feature)).cast("double")
    return F.when(F.abs(value) < F.lit(math.inf), value)


def text(column: Column) -> Column:
    """A text feature as a category's name; NULL is a category of its own."""
    return F.coalesce(column.cast("string"), F.lit(NULL_TEXT))


# -- dates and times ---------------------------------------------------------------------------------------------------


def _seconds(column: Column, feature: Feature) -> Column:
    """Seconds since 1970-01-01 00:00 UTC as a double; dates at midnight. The session's time zone has no say."""
    if feature.kind == DATE:
        return F.unix_date(column).cast("double") * F.lit(SECONDS_A_DAY)
    assert feature.kind == TIMESTAMP, feature
    if feature.type == "timestamp_ntz":
        # No function gives the microseconds of a timestamp without zone without going through the session's zone.
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


# -- what is learned ---------------------------------------------------------------------------------------------------


def _means(frame: DataFrame, values: Sequence[Column]) -> list[float]:
    """The mean of the values that are there; 0 where there is none, or where the sum leaves the doubles."""
    if not values:
        return []
    (sums,) = frame.agg(*[F.sum(value) for value in values], *[F.count(value) for value in values]).collect()
    pairs = zip(sums[: len(values)], sums[len(values) :], strict=True)
    return [total / count if count and math.isfinite(total) else 0.0 for total, count in pairs]


def _scales(frame: DataFrame, values: Sequence[Column], means: Sequence[float], rows: int) -> list[float]:
    """The sample deviation of the imputed column (an imputed row adds nothing to the sum); 1 for a constant one."""
    if not values or rows < 2:
        return [1.0] * len(values)
    centred = [value - F.lit(mean) for value, mean in zip(values, means, strict=True)]
    (sums,) = frame.agg(*[F.sum(difference * difference) for difference in centred]).collect()
    deviations = [math.sqrt((total or 0.0) / (rows - 1)) for total in sums]
    return [deviation if 0.0 < deviation < math.inf else 1.0 for deviation in deviations]


def _categories(frame: DataFrame, signature: Signature, rows: int) -> tuple[CategoryColumn, ...]:
    """The most frequent values of every text feature, in one job; ties go to the smaller name (by code point)."""
    names = feature_names(signature)
    columns = [index for index, feature in enumerate(signature.features) if feature.kind == TEXT]
    if not columns:
        return ()
    pairs = F.array(*[F.struct(F.lit(k).alias("k"), text(F.col(names[k])).alias("value")) for k in columns])
    counted = frame.select(F.explode(pairs).alias("pair")).groupBy("pair.k", "pair.value").count()
    order = Window.partitionBy("k").orderBy(F.desc("count"), "value")
    ranked = counted.withColumn("rank", F.row_number().over(order)).where(F.col("rank") <= MAX_CATEGORIES + 1)
    found: dict[int, list[tuple[str, int]]] = {k: [] for k in columns}
    for row in sorted(ranked.collect(), key=lambda row: row["rank"]):
        found[row["k"]].append((row["value"], row["count"]))
    return tuple(_category(signature.features[k], found[k], rows) for k in columns)


def _category(feature: Feature, values: list[tuple[str, int]], rows: int) -> CategoryColumn:
    if rows > MOST_DISTINCT_ROWS and values[0][1] == 1:
        raise SqlmlError(
            "SQLML_FEATURE_UNUSABLE",
            f"Every value of the text column {feature.name} is different, so nothing can be learned from it.",
            hint="Leave it out: FEATURES * EXCEPT (…).",
        )
    kept = sorted(value for value, _ in values[:MAX_CATEGORIES])
    return CategoryColumn(feature.name, tuple(kept), other=len(values) > MAX_CATEGORIES)


# -- one-hot -----------------------------------------------------------------------------------------------------------


def _index(column: Column, category: CategoryColumn) -> Column:
    """The category's position as a double; the number of categories when it is none of them."""
    position = F.array_position(F.array(*[F.lit(value) for value in category.categories]), text(column))
    return F.when(position == 0, F.lit(float(len(category.categories)))).otherwise((position - 1).cast("double"))


def _nominal(category: CategoryColumn) -> dict[str, dict[str, object]]:
    """Tells OneHotEncoder the number of values, so that it need not look at the data.

    One more than the block is wide: the encoder drops the last, which is the place of an unseen value where the block
    has no column for it and nobody's place where it has.
    """
    return {"ml_attr": {"type": "nominal", "num_vals": category.width + 1}}
