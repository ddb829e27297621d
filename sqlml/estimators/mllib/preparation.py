"""Spark's side of a Preparation: fitted by aggregates over the training rows, applied as columns, never collected."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pyspark.ml.feature import OneHotEncoder, VectorAssembler
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sqlml.estimators.estimator import Estimator
from sqlml.estimators.mllib import codes as mllib_codes
from sqlml.estimators.mllib import statistics
from sqlml.estimators.mllib.columns import feature_names, number, text
from sqlml.jobs.job import Job
from sqlml.jobs.preparation import CategoryColumn, CodeColumn, Preparation
from sqlml.signature import Signature

_Encode = Callable[[DataFrame, Column, CodeColumn, str], DataFrame]


def fit(frame: DataFrame, job: Job, *, estimator: Estimator, rows: int) -> Preparation:
    """Learns means, scales, categories and codes from the training rows in a few aggregates.

    Args:
        frame: the training rows, with internal names; with `label` and `key` where a text is encoded.
        estimator: says whether it wants mean 0 and deviation 1, and whether it takes gaps itself.
        rows: how many they are.

    Raises:
        SqlmlError: SQLML_FEATURE_UNUSABLE for a text feature whose values are all different, or too many to encode.
    """
    return _learn(frame, job, estimator, rows)[0]


def fit_transform(
    frame: DataFrame, job: Job, *, estimator: Estimator, rows: int, keep: Sequence[str]
) -> tuple[Preparation, DataFrame]:
    """What `fit` learns, and the training rows as they are to be learned from: a text's code does not know the target
    of its own row."""
    preparation, codes = _learn(frame, job, estimator, rows)
    by_feature = {code.column.feature: code for code in codes}

    def encode(rows: DataFrame, value: Column, column: CodeColumn, name: str) -> DataFrame:
        return mllib_codes.encoded_while_learning(rows, value, by_feature[column.feature], name)

    return preparation, _transform(frame, job.signature, preparation, keep, encode)


def transform(frame: DataFrame, signature: Signature, preparation: Preparation, *, keep: Sequence[str]) -> DataFrame:
    """The columns `keep` and the feature vector `x` in the preparation's layout."""
    return _transform(frame, signature, preparation, keep, mllib_codes.encoded)


def _learn(
    frame: DataFrame, job: Job, estimator: Estimator, rows: int
) -> tuple[Preparation, tuple[mllib_codes.Learned, ...]]:
    signature, scale = job.signature, estimator.scale
    usual = None if estimator.missing else "mean"
    impute = {feature.name: job.impute.get(feature.name, usual) for feature in signature.features}
    numbers, gaps_in = statistics.numbers(frame, signature, impute, rows=rows, scale=scale)
    categories = statistics.categories(frame, signature, job.texts)
    codes = mllib_codes.learn(frame, signature, job.encode, job.coded, rows=rows, scale=scale)
    flags = tuple(feature.name for feature in job.flagged(missing=estimator.missing) if feature.name in gaps_in)
    return Preparation(numbers, categories, tuple(code.column for code in codes), flags), codes


def _transform(
    frame: DataFrame, signature: Signature, preparation: Preparation, keep: Sequence[str], encode: _Encode
) -> DataFrame:
    names = dict(zip(signature.names, feature_names(signature), strict=True))
    features = {feature.name: feature for feature in signature.features}
    numbers, missing = [], dict[str, Column]()
    for index, column in enumerate(preparation.numbers):
        value = number(F.col(names[column.feature]), features[column.feature], column.part)
        missing[column.feature] = value.isNull().cast("double")
        if column.impute is not None:
            value = F.coalesce(value, F.lit(column.impute))
        if column.mean != 0.0 or column.scale != 1.0:
            value = (value - F.lit(column.mean)) / F.lit(column.scale)
        numbers.append(value.alias(f"n{index}"))
    indexes = [
        _index(F.col(names[column.feature]), column).alias(f"i{k}", metadata=_nominal(column))
        for k, column in enumerate(preparation.categories)
    ]
    for k, code in enumerate(preparation.codes):
        frame = encode(frame, F.col(names[code.feature]), code, f"c{k}")
    codes = [f"c{k}" for k in range(len(preparation.codes))]
    flags = [missing[feature].alias(f"m{k}") for k, feature in enumerate(preparation.flags)]
    blocks = [f"o{k}" for k in range(len(indexes))]
    encoded = frame.select(*keep, *numbers, *indexes, *codes, *flags)
    if indexes:
        encoder = OneHotEncoder(inputCols=[f"i{k}" for k in range(len(indexes))], outputCols=blocks, dropLast=True)
        encoded = encoder.fit(encoded).transform(encoded)
    parts = [*[f"n{k}" for k in range(len(numbers))], *blocks, *codes, *[f"m{k}" for k in range(len(flags))]]
    # A gap that nothing is imputed for becomes NaN.
    gaps = any(column.impute is None for column in preparation.numbers)
    assembler = VectorAssembler(inputCols=parts, outputCol="x", handleInvalid="keep" if gaps else "error")
    vectors = assembler.transform(encoded)
    # Without the width in the metadata MLlib reads a row to find it; with MLlib's own metadata its trees would take a
    # 0/1 column for a category and split on sets.
    return vectors.select(*keep, "x").withMetadata("x", {"ml_attr": {"num_attrs": preparation.width}})


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
