"""The choice of the engine that scores a call: ONNX Runtime in an Arrow UDF, or the model compiled into the query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlml.settings import AUTO, COMPILED, ENGINE, ONNXRUNTIME
from sqlml.spark.applications import setting

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from sqlml.binding.outputs import Output, RequestedOutputs
    from sqlml.importing.unregistered_model import UnregisteredModel
    from sqlml.registry import ModelVersion


class Chosen(NamedTuple):
    """The chosen engine, in the form that `org.sqlml.predict.ResolvedCall` takes. Either `udf` or `program` is set.

    Attributes:
        udf: the JVM's UserDefinedPythonFunction, or None.
        program: the JVM's `org.sqlml.expressions.Program`, or None.
        name: the program's name in EXPLAIN.
        features: indices in the signature of the features that it takes.
        outputs: the outputs to take of a program that has several; empty where the function has one.
        labels: the JVM's `org.sqlml.expressions.Labels` for the probabilities that the udf returns, or None.
        cast: the type of the call where the udf returns another one, or None.
    """

    udf: Any
    program: Any
    name: str
    features: tuple[int, ...]
    outputs: tuple[Output, ...] = ()
    labels: Any = None
    cast: str | None = None


def chosen(
    spark: SparkSession,
    function: str,
    model: ModelVersion | UnregisteredModel,
    requested: RequestedOutputs | None,
    types: Sequence[str],
) -> Chosen:
    """Chooses the engine by the setting: ONNX Runtime where the model cannot be compiled for these argument types, and
    under `auto` also where it costs less.

    Args:
        requested: the requested outputs of `predict_outputs`.
        types: the Spark type of the argument for each feature.

    Raises:
        SqlmlError: SQLML_TYPE_MISMATCH, SQLML_COLUMN_NOT_FOUND; see `sqlml.spark.udf.check`.
    """
    from sqlml.binding import outputs
    from sqlml.signature import without_collations
    from sqlml.spark.compiled_models import compiled, labels
    from sqlml.spark.udf import check, explained, returned, scoring_function

    wanted = check(function, model, requested)
    engine = setting(spark, ENGINE)
    if engine != ONNXRUNTIME:
        found = compiled(spark, function, model, types, only_if_cheaper=engine == AUTO)
        if found is not None:
            name = explained("", model, COMPILED, found.features)
            return Chosen(None, found.program, name, found.features, wanted or outputs.components(model.signature))
    scoring = scoring_function(spark, function, model, wanted, requested)
    known = labels(spark, model) if function == "predict_proba" else None
    kind = returned(function, model.signature, wanted)
    cast = kind if without_collations(kind) != kind else None
    return Chosen(scoring.udf, None, "", scoring.features, labels=known, cast=cast)
