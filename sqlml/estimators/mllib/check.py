"""The sample rows of the fidelity check for MLlib, real ones and edge cases, and MLlib's own scores for them."""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, StructField, StructType

from sqlml.estimators import hard_values
from sqlml.estimators.mllib import algorithm
from sqlml.estimators.mllib import columns as mllib_columns
from sqlml.estimators.mllib import preparation as mllib_preparation
from sqlml.jobs.preparation import Preparation
from sqlml.signature import Feature, Signature

_MOST_ROWS = 10_000
_ROW = "row"
_BITS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}


def sample(frame: DataFrame, signature: Signature, *, inside: bool = False) -> pa.Table:
    """Up to 10,000 rows of the features (f0, f1, …) in their own types, then one row for each edge-case value of each
    feature: NULL, NaN, infinity, unseen text, ends of ranges and calendars.

    Args:
        inside: True to keep numbers, dates and times within the ranges of the frame.
    """
    names = mllib_columns.feature_names(signature)
    real = frame.select(*names).limit(_MOST_ROWS).toArrow()
    real = real.cast(pa.schema([field.with_nullable(True) for field in real.schema]))
    columns = []
    hard = [_hard_values(feature, real.schema.field(name).type) for feature, name in _named(signature)]
    if inside:
        hard = [hard_values.inside(values, real.column(name)) for values, name in zip(hard, names, strict=True)]
    count = sum(len(values) for values in hard) + 1
    start = 0
    for name, values in zip(names, hard, strict=True):
        # Each edge-case row is the first real row with one value replaced. NULL is the first edge case, and the last
        # row is NULL in all columns.
        choices = pa.concat_arrays([_first(real.column(name)), values])
        indices = np.zeros(count, dtype=np.int64)
        indices[start : start + len(values)] = np.arange(1, len(values) + 1)
        indices[-1] = 1
        columns.append(choices.take(pa.array(indices)))
        start += len(values)
    return pa.concat_tables([real, pa.table(columns, schema=real.schema)]).combine_chunks()


def score(
    model: Any, table: pa.Table, source: DataFrame, signature: Signature, preparation: Preparation
) -> tuple[NDArray[np.int64] | None, NDArray[np.float64]]:
    """MLlib's own predictions, in row order.

    Args:
        table: made by `sample`.
        source: the frame that was sampled; it has the columns' Spark types.

    Returns:
        The predicted label indices, and probabilities or scores [rows, classes]; or None, and predictions [rows] or
        coordinates [rows, components].
    """
    names = mllib_columns.feature_names(signature)
    numbered = table.append_column(_ROW, pa.array(np.arange(table.num_rows)))
    # Every column may be NULL here, even if its source column is not nullable.
    fields = [StructField(name, source.schema[name].dataType) for name in names]
    rows = source.sparkSession.createDataFrame(numbered, schema=StructType([*fields, StructField(_ROW, LongType())]))
    vectors = mllib_preparation.transform(rows, signature, preparation, keep=[_ROW])
    scored = model.transform(algorithm.ready(vectors, model))
    if signature.task == "regression":
        return None, scored.select(_ROW, "prediction").toArrow().sort_by(_ROW)["prediction"].to_numpy()
    if signature.outputs:
        found = scored.select(_ROW, vector_to_array("prediction").alias("at")).toArrow().sort_by(_ROW)["at"]
        return None, pc.list_flatten(found).to_numpy().reshape(-1, len(signature.outputs))
    scores = F.col(_scores_column(signature))
    answers = scored.select(_ROW, "prediction", vector_to_array(scores).alias("scores")).toArrow().sort_by(_ROW)
    positions = answers["prediction"].to_numpy().astype(np.int64)
    found = pc.list_flatten(answers["scores"]).to_numpy().reshape(len(positions), -1)
    if signature.task == "clustering" and not signature.probabilities:
        # MLlib returns the cluster only, so the distances from its vectors to its centres are computed here.
        found = np.column_stack([-np.sqrt(((found - centre) ** 2).sum(axis=1)) for centre in model.clusterCenters()])
    return positions, found


def clusters(model: Any) -> int:
    """The number of clusters of a clustering model."""
    return len(model.weights if hasattr(model, "weights") else model.clusterCenters())


def _scores_column(signature: Signature) -> str:
    if signature.probabilities:
        return "probability"
    return "x" if signature.task == "clustering" else "rawPrediction"


def _named(signature: Signature) -> Sequence[tuple[Feature, str]]:
    return list(zip(signature.features, mllib_columns.feature_names(signature), strict=True))


def _first(column: pa.ChunkedArray) -> pa.Array:
    return (
        column.slice(0, 1).combine_chunks() if column.num_chunks == 1 else pa.concat_arrays(column.slice(0, 1).chunks)
    )


def _hard_values(feature: Feature, arrow: pa.DataType) -> pa.Array:
    hard = hard_values.of_kind(feature.kind, arrow)
    if hard is not None:
        return hard
    if pa.types.is_decimal(arrow):
        ends = [decimal.Decimal((sign, (9,) * arrow.precision, -arrow.scale)) for sign in (0, 1)]
        return pa.array([None, *ends], arrow)
    if feature.type in _BITS:
        half = 2 ** (_BITS[feature.type] - 1)
        return pa.array([None, -half, half - 1, 0], arrow)
    return pa.array([None, *hard_values.NUMBERS], arrow)
