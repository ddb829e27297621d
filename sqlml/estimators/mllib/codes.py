"""Ordinal and target encoding of texts in Spark.

Target encoding follows scikit-learn's TargetEncoder with smooth = 'auto' (Micci-Barreca, 2001),
https://scikit-learn.org/stable/modules/preprocessing.html#target-encoder: a category's mean is shrunk towards the
overall mean if it has few rows. Training rows get the means of the other four fifths of the rows (cross fitting), so
that the target does not leak into the features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sqlml.errors import SqlmlError
from sqlml.estimators.mllib.columns import feature_names, text
from sqlml.estimators.mllib.statistics import deviation
from sqlml.jobs.preparation import ORDINAL, TARGET, CodeColumn
from sqlml.signature import Feature, Signature

# A text of more values is not categorical: all of them would be in the driver's memory and in the graph.
MOST_CODED = 10_000
_FOLDS = 5


@dataclass(frozen=True)
class Learned:
    """The codes of one text column.

    Attributes:
        column: the codes for rows that are not training rows.
        by_fold: [folds][categories] the codes for training rows; None if they are the same.
    """

    column: CodeColumn
    by_fold: tuple[tuple[float, ...], ...] | None = None


@dataclass(frozen=True)
class _Sums:
    """Count, sum and sum of squares of the target, shifted by a number near its mean for accuracy."""

    rows: int = 0
    total: float = 0.0
    squares: float = 0.0

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(self.rows + other.rows, self.total + other.total, self.squares + other.squares)

    def __sub__(self, other: _Sums) -> _Sums:
        return _Sums(self.rows - other.rows, self.total - other.total, self.squares - other.squares)

    @property
    def mean(self) -> float:
        return self.total / self.rows

    @property
    def spread(self) -> float:
        """The sum of squared deviations from the mean."""
        return max(self.squares - self.total * self.total / self.rows, 0.0)


def learn(
    frame: DataFrame,
    signature: Signature,
    encode: Mapping[str, str],
    coded: Sequence[Feature],
    *,
    rows: int,
    scale: bool,
) -> tuple[Learned, ...]:
    """The codes of every encoded text, scaled if the estimator needs that.

    Args:
        frame: the training rows, with internal names, `key` and, for target encoding, `label`.
        rows: the number of training rows.

    Raises:
        SqlmlError: SQLML_FEATURE_UNUSABLE for a text of more than 10,000 values.
    """
    if not coded:
        return ()
    centre = 0.0
    by_target = TARGET in (encode[feature.name] for feature in coded)
    if by_target and signature.task == "regression":
        total = (frame.agg(F.sum("label")).first() or (0.0,))[0]
        centre = total / rows
    found = _sums(frame, signature, coded, centre, by_target)
    return tuple(
        _learned(feature, encode[feature.name], sums, centre, rows, scale=scale)
        for feature, sums in zip(coded, found, strict=True)
    )


def _sums(
    frame: DataFrame, signature: Signature, coded: Sequence[Feature], centre: float, by_target: bool
) -> list[dict[str, list[_Sums]]]:
    """The sums of each text by value and fold."""
    names = dict(zip(signature.names, feature_names(signature), strict=True))
    pairs = [
        F.struct(F.lit(k).alias("k"), text(F.col(names[feature.name])).alias("value"))
        for k, feature in enumerate(coded)
    ]
    target = F.col("label") - F.lit(centre) if by_target else F.lit(0.0)
    exploded = frame.select(F.explode(F.array(*pairs)).alias("pair"), _fold().alias("fold"), target.alias("target"))
    aggregates = (F.count(F.lit(1)), F.sum("target"), F.sum(F.col("target") * F.col("target")))
    grouped = exploded.groupBy("pair.k", "pair.value", "fold").agg(*aggregates)
    # More groups than this mean that one of the texts has too many values.
    collected = grouped.limit(len(coded) * MOST_CODED * _FOLDS + 1).collect()
    found: list[dict[str, list[_Sums]]] = [{} for _ in coded]
    for k, value, fold, *sums in collected:
        found[k].setdefault(value, [_Sums()] * _FOLDS)
        found[k][value][fold] = _Sums(*sums)
    for feature, values in zip(coded, found, strict=True):
        if len(values) > MOST_CODED:
            raise SqlmlError(
                "SQLML_FEATURE_UNUSABLE",
                f"The text column {feature.name} has more than {MOST_CODED:,} different values, too many to keep each"
                " of them.",
                hint="Group them in the query, or use encode = 'onehot', which keeps only the most frequent ones.",
            )
    return found


def _fold() -> Column:
    return F.pmod(F.col("key"), F.lit(_FOLDS)).cast("int")


def _learned(
    feature: Feature, encoding: str, sums: dict[str, list[_Sums]], centre: float, rows: int, *, scale: bool
) -> Learned:
    """The codes of one text from its sums: for new rows from all folds, for training rows of a fold from the other
    folds."""
    categories = sorted(sums)
    of_category = [sum(sums[name], _Sums()) for name in categories]
    by_fold: list[list[float]] | None = None
    if encoding == ORDINAL:
        codes, default = [float(index) for index in range(len(categories))], -1.0
    else:
        total = sum(of_category, _Sums())
        codes, default = _means(of_category, total, centre)
        by_fold = []
        for fold in range(_FOLDS):
            others = [one - sums[name][fold] for name, one in zip(categories, of_category, strict=True)]
            by_fold.append(_means(others, sum(others, _Sums()), centre)[0] if any(o.rows for o in others) else codes)
    mean, by = 0.0, 1.0
    if scale:
        # Mean and deviation over the training rows, with the codes they are fitted with.
        seen = [
            (one.rows, (by_fold[fold] if by_fold else codes)[index])
            for index, name in enumerate(categories)
            for fold, one in enumerate(sums[name])
        ]
        mean = sum(count * code for count, code in seen) / rows
        by = deviation(sum(count * (code - mean) ** 2 for count, code in seen), rows)

    def scaled(values: list[float]) -> tuple[float, ...]:
        return tuple((value - mean) / by for value in values)

    column = CodeColumn(feature.name, encoding, tuple(categories), scaled(codes), (default - mean) / by)
    return Learned(column, None if by_fold is None else tuple(map(scaled, by_fold)))


def _means(of_category: Sequence[_Sums], total: _Sums, centre: float) -> tuple[list[float], float]:
    """The target encoding of each category, and the overall mean, which is the code of an unknown category.

    The code is λ·mean of the category + (1 - λ)·overall mean with λ = n·σ² / (n·σ² + σ²ᵢ), where σ² is the target's
    variance, and n and σ²ᵢ are the rows and the variance of the category.
    """
    variance, overall = total.spread / total.rows, centre + total.mean
    found = []
    for one in of_category:
        evidence = variance * one.rows
        doubt = one.spread / one.rows if one.rows else 0.0
        share = evidence / (evidence + doubt) if evidence + doubt > 0.0 else 0.0
        found.append(share * (centre + one.mean) + (1.0 - share) * overall if share else overall)
    return found, overall


def encoded(frame: DataFrame, value: Column, column: CodeColumn, name: str) -> DataFrame:
    """The frame with a text's codes as column `name`."""
    return _looked_up(frame, value, column, [column.codes], F.lit(0), name)


def encoded_while_learning(frame: DataFrame, value: Column, learned: Learned, name: str) -> DataFrame:
    """The training rows with a text's cross-fitted codes as column `name`."""
    if learned.by_fold is None:
        return encoded(frame, value, learned.column, name)
    return _looked_up(frame, value, learned.column, learned.by_fold, _fold(), name)


def _looked_up(
    frame: DataFrame, value: Column, column: CodeColumn, codes: Sequence[Sequence[float]], fold: Column, name: str
) -> DataFrame:
    """Adds codes by a broadcast join on text and fold."""
    table = pa.table(
        {
            f"{name}_fold": pa.array([f for f, of_fold in enumerate(codes) for _ in of_fold], pa.int32()),
            f"{name}_text": pa.array([*column.categories] * len(codes), pa.string()),
            name: pa.array([code for of_fold in codes for code in of_fold], pa.float64()),
        }
    )
    known = F.broadcast(frame.sparkSession.createDataFrame(table))
    found = frame.join(known, (text(value) == known[f"{name}_text"]) & (fold == known[f"{name}_fold"]), "left")
    return found.withColumn(name, F.coalesce(name, F.lit(column.default))).drop(f"{name}_text", f"{name}_fold")
