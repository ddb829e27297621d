"""Statistics for a Preparation, by Spark aggregates over the training rows: means, medians and deviations of numbers,
and the most frequent categories.

Deviations are computed from sums of plain squared differences, not by Spark's `stddev`, whose merge depends on the
order of the partitions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from sqlml.estimators.mllib import ranks
from sqlml.estimators.mllib.columns import feature_names, number, text
from sqlml.jobs.preparation import MAX_CATEGORIES, PARTS, CategoryColumn, NumberColumn
from sqlml.signature import TEXT, Feature, Signature

_MEAN, _MEDIAN = "mean", "median"


def numbers(
    frame: DataFrame, signature: Signature, impute: Mapping[str, str | float | None], *, rows: int, scale: bool
) -> tuple[tuple[NumberColumn, ...], tuple[str, ...]]:
    """The imputed value, mean and sample deviation of each number column, as in MLlib's StandardScaler, and the
    features that have missing values."""
    columns = [
        (feature, part, name)
        for feature, name in zip(signature.features, feature_names(signature), strict=True)
        if feature.kind != TEXT
        for part in PARTS.get(feature.kind, ("",))
    ]
    values = [number(F.col(name), feature, part) for feature, part, name in columns]
    wanted = [impute[feature.name] for feature, _, _ in columns]
    # First pass: sums and counts, which give the means; then medians and most frequent values where they are wanted.
    totals, counts = _sums(frame, values)
    means = [
        total / count if count and math.isfinite(total) else 0.0 for total, count in zip(totals, counts, strict=True)
    ]
    imputed = _imputed(frame, values, wanted, means, counts)
    gappy = [feature.name for (feature, _, _), count in zip(columns, counts, strict=True) if count < rows]
    gaps_in = tuple(dict.fromkeys(gappy))
    if not scale:
        plain = zip(columns, imputed, strict=True)
        return tuple(NumberColumn(feature.name, part, value, 0.0, 1.0) for (feature, part, _), value in plain), gaps_in
    # A gap imputed with the mean changes neither the mean nor the sum of squares.
    filled = [mean if value is None else value for value, mean in zip(imputed, means, strict=True)]
    centres = [
        mean if how == _MEAN else (mean * count + (rows - count) * value) / rows
        for how, mean, count, value in zip(wanted, means, counts, filled, strict=True)
    ]
    gaps = [(rows - count) * (value - mean) ** 2 for count, value, mean in zip(counts, filled, centres, strict=True)]
    # Second pass: sums of squared differences from the means after imputation.
    scales = _scales(frame, values, centres, gaps, rows)
    parts = zip(columns, imputed, centres, scales, strict=True)
    found = tuple(NumberColumn(feature.name, part, value, mean, by) for (feature, part, _), value, mean, by in parts)
    return found, gaps_in


def _sums(frame: DataFrame, values: Sequence[Column]) -> tuple[list[float], list[int]]:
    if not values:
        return [], []
    (found,) = frame.agg(*[F.sum(value) for value in values], *[F.count(value) for value in values]).collect()
    return [total or 0.0 for total in found[: len(values)]], list(found[len(values) :])


def _imputed(
    frame: DataFrame,
    values: Sequence[Column],
    wanted: Sequence[str | float | None],
    means: Sequence[float],
    counts: Sequence[int],
) -> list[float | None]:
    """The imputed value of each column with SimpleImputer's strategies; 0 for a column without any number, None if it
    is not imputed."""
    by_median = [index for index, how in enumerate(wanted) if how == _MEDIAN]
    found = dict(enumerate(means))
    if by_median:
        medians = ranks.medians(frame, [values[k] for k in by_median], [counts[k] for k in by_median])
        found |= dict(zip(by_median, medians, strict=True))
    by_count = [index for index, how in enumerate(wanted) if isinstance(how, str) and how not in (_MEAN, _MEDIAN)]
    if by_count:
        found |= dict.fromkeys(by_count, 0.0) | _most_frequent(frame, values, by_count)
    return [
        None if how is None else found[index] if isinstance(how, str) else float(how)
        for index, how in enumerate(wanted)
    ]


def _most_frequent(frame: DataFrame, values: Sequence[Column], indices: Sequence[int]) -> dict[int, float]:
    """The most frequent value of each column; of equally frequent ones the smallest."""
    pairs = F.array(*[F.struct(F.lit(k).alias("k"), values[k].alias("value")) for k in indices])
    pairs_of_rows = frame.select(F.explode(pairs).alias("pair")).where("pair.value IS NOT NULL")
    counted = pairs_of_rows.groupBy("pair.k", "pair.value").count()
    most = F.max(F.struct("count", -F.col("value"))).alias("most")
    return {row["k"]: -row["most"][1] + 0.0 for row in counted.groupBy("k").agg(most).collect()}


def _scales(
    frame: DataFrame, values: Sequence[Column], means: Sequence[float], gaps: Sequence[float], rows: int
) -> list[float]:
    """The sample deviation of each column; 1 for a constant column.

    Args:
        gaps: the imputed values' contributions to the sums of squares.
    """
    if not values or rows < 2:
        return [1.0] * len(values)
    centred = [value - F.lit(mean) for value, mean in zip(values, means, strict=True)]
    (sums,) = frame.agg(*[F.sum(difference * difference) for difference in centred]).collect()
    return [deviation((total or 0.0) + gap, rows) for total, gap in zip(sums, gaps, strict=True)]


def deviation(squares: float, rows: int) -> float:
    """The sample deviation for a sum of squared differences; 1 if it is 0 or overflows."""
    found = math.sqrt(squares / (rows - 1)) if rows > 1 else 1.0
    return found if 0.0 < found < math.inf else 1.0


def counted_values(frame: DataFrame, columns: Mapping[int, Column]) -> DataFrame:
    """`k`, `value`, `count`: the number of rows for each text column and value.

    Args:
        columns: the columns by k.
    """
    pairs = F.array(*[F.struct(F.lit(k).alias("k"), text(column).alias("value")) for k, column in columns.items()])
    return frame.select(F.explode(pairs).alias("pair")).groupBy("pair.k", "pair.value").count()


def categories(frame: DataFrame, signature: Signature, texts: Sequence[Feature]) -> tuple[CategoryColumn, ...]:
    """The most frequent values of every text feature, in one job; ties go to the smaller value (by code point)."""
    if not texts:
        return ()
    names = dict(zip(signature.names, feature_names(signature), strict=True))
    counted = counted_values(frame, {k: F.col(names[feature.name]) for k, feature in enumerate(texts)})
    order = Window.partitionBy("k").orderBy(F.desc("count"), "value")
    ranked = counted.withColumn("rank", F.row_number().over(order)).where(F.col("rank") <= MAX_CATEGORIES + 1)
    found: list[list[tuple[str, int]]] = [[] for _ in texts]
    for row in sorted(ranked.collect(), key=lambda row: row["rank"]):
        found[row["k"]].append((row["value"], row["count"]))
    return tuple(_category(feature, values) for feature, values in zip(texts, found, strict=True))


def _category(feature: Feature, values: list[tuple[str, int]]) -> CategoryColumn:
    kept = sorted(value for value, _ in values[:MAX_CATEGORIES])
    return CategoryColumn(feature.name, tuple(kept), other=len(values) > MAX_CATEGORIES)
