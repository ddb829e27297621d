"""Feature preparation in Spark: learned by aggregates over the training rows and applied as column expressions, so rows
are never collected."""

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
        frame: the training rows, with internal names; with `label` and `key` if a text is encoded.
        estimator: decides whether numbers are scaled and gaps imputed.
        rows: the number of training rows.

    Raises:
        SqlmlError: SQLML_FEATURE_UNUSABLE for a text feature with too many values to encode.
    """
    return _learn(frame, job, estimator, rows)[0]


def fit_transform(
    frame: DataFrame, job: Job, *, estimator: Estimator, rows: int, keep: Sequence[str]
) -> tuple[Preparation, DataFrame]:
    """The preparation, and the prepared training rows, whose target encoding is cross-fitted: a row's code does not
    depend on its own target."""
    preparation, codes = _learn(frame, job, estimator, rows)
    by_feature = {code.column.feature: code for code in codes}

    def encode(rows: DataFrame, value: Column, column: CodeColumn, name: str) -> DataFrame:
        return mllib_codes.encoded_while_learning(rows, value, by_feature[column.feature], name)

    return preparation, _transform(frame, job.signature, preparation, keep, encode)


def transform(frame: DataFrame, signature: Signature, preparation: Preparation, *, keep: Sequence[str]) -> DataFrame:
    """The columns `keep` and the feature vector `x`, in the preparation's layout."""
    return _transform(frame, signature, preparation, keep, mllib_codes.encoded)


def _learn(
    frame: DataFrame, job: Job, estimator: Estimator, rows: int
) -> tuple[Preparation, tuple[mllib_codes.Learned, ...]]:
    """Learns the preparation and the codes of training rows."""
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
    """Builds `x`: number expressions, category indices through OneHotEncoder, codes and flags, joined by
    VectorAssembler."""
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
    # Gaps that are not imputed become NaN.
    gaps = any(column.impute is None for column in preparation.numbers)
    assembler = VectorAssembler(inputCols=parts, outputCol="x", handleInvalid="keep" if gaps else "error")
    vectors = assembler.transform(encoded)
    # The width in the metadata saves MLlib a job that reads a row to find it. MLlib's own metadata is dropped, because
    # with it trees would treat a 0/1 column as categorical and split by sets.
    return vectors.select(*keep, "x").withMetadata("x", {"ml_attr": {"num_attrs": preparation.width}})


# -- one-hot -----------------------------------------------------------------------------------------------------------


def _index(column: Column, category: CategoryColumn) -> Column:
    """The category's index as a double; the number of categories for any other text."""
    position = F.array_position(F.array(*[F.lit(value) for value in category.categories]), text(column))
    return F.when(position == 0, F.lit(float(len(category.categories)))).otherwise((position - 1).cast("double"))


def _nominal(category: CategoryColumn) -> dict[str, dict[str, object]]:
    """Metadata with the number of values, so that OneHotEncoder need not read the data.

    It is one more than the block's width, because the encoder drops the last value. That is the index of an unseen
    value if the block has no column for it, and unused if it has.
    """
    return {"ml_attr": {"type": "nominal", "num_vals": category.width + 1}}
