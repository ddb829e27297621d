"""A SQLTransformer in a fitted pipeline of pyspark.ml: its select list becomes the TRANSFORM clause of the version.

So Spark itself computes the expressions in scoring, and only the other stages become ONNX.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.errors import AnalysisException
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession

from sqlml.errors import SqlmlError
from sqlml.estimators.mllib.fitted_pipeline import as_estimator, flat
from sqlml.importing import columns, sample_rows
from sqlml.parser.cursor import Piece
from sqlml.spark.expressions import SparkExpressions
from sqlml.training.transforming import Transformation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlml.signature import Feature, Transform

_NAME = "SQLTransformer"
# __THIS__ is its input: https://spark.apache.org/docs/latest/ml-features.html#sqltransformer
_STATEMENT = re.compile(r"\s*SELECT\s+(.*?)\s+FROM\s+__THIS__\s*;?\s*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Separated:
    """A pipeline without its SQLTransformer, and the rows that this one makes of the example."""

    model: PipelineModel
    example: DataFrame
    transformation: Transformation

    def transform(self, features: Sequence[Feature]) -> Transform:
        """The TRANSFORM clause of a version with these features."""
        return self.transformation.stored(features)


def separated(spark: SparkSession, model: Any, example: Any) -> Separated | None:
    """Takes the SQLTransformer out of a pipeline; returns None if it has none.

    Args:
        model: a fitted model of pyspark.ml.
        example: rows of the pipeline's input, in any form that `columns.table` takes.

    Raises:
        SqlmlError: SQLML_MODEL_REFUSED for two of them, one behind a stage that the prediction depends on, or a
            statement that is not `SELECT … FROM __THIS__`; SQLML_TRANSFORM_INVALID for a list that does not work row by
            row, or reads what the example lacks.
    """
    stages = list(flat(model))
    found = [stage for stage in stages if type(stage).__name__ == _NAME]
    if not found:
        return None
    if len(found) > 1:
        raise SqlmlError(
            "SQLML_MODEL_REFUSED",
            f"The pipeline has {len(found)} stages {_NAME}, and a model in SQL has one TRANSFORM clause.",
            hint="Write their expressions into one statement.",
        )
    (own,) = found
    others = PipelineModel([stage for stage in stages if stage is not own])
    _check_first(stages[: stages.index(own)], as_estimator(others))
    frame = example if isinstance(example, DataFrame) else _frame(spark, example)
    select_list = _select_list(own.getStatement())
    try:
        transformation = Transformation(SparkExpressions(spark, ""), frame, select_list, ())
    except AnalysisException as error:
        raise SqlmlError(
            "SQLML_TRANSFORM_INVALID",
            f"The {_NAME} cannot be computed from the example's columns: {str(error).splitlines()[0]}",
            hint="It may read the columns of the example and no others.",
        ) from error
    return Separated(others, transformation.frame, transformation)


def _check_first(earlier: list[Any], estimator: Any) -> None:
    """Raises where a stage that the prediction depends on comes before: TRANSFORM is computed before all of them."""
    used = [*estimator.stages, estimator.predictor]
    before = next((stage for stage in earlier if any(stage is one for one in used)), None)
    if before is not None:
        raise SqlmlError(
            "SQLML_MODEL_REFUSED",
            f"The {_NAME} stands behind the stage {type(before).__name__}, and a TRANSFORM clause is computed first.",
            hint=f"Fit the pipeline with the {_NAME} as its first stage.",
        )


def _frame(spark: SparkSession, example: Any) -> DataFrame:
    return spark.createDataFrame(columns.table(example, sample_rows.MOST))


def _select_list(statement: str) -> Piece:
    """The list of `SELECT list FROM __THIS__`, as it is written; Spark parses it."""
    found = _STATEMENT.fullmatch(statement)
    if found is None:
        raise SqlmlError(
            "SQLML_MODEL_REFUSED",
            f"The {_NAME} runs {statement!r}, and only a select list can be computed row by row.",
            hint="Its statement must be SELECT … FROM __THIS__, without WHERE, GROUP BY and joins.",
        )
    return Piece(found[1])
