"""Scoring where the data is: a model's graph as a vectorised function of Spark.

The executors import this file: pyspark, pyarrow, numpy, onnxruntime and sqlml are all they need.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from pyspark.sql.udf import UserDefinedFunction
from pyspark.util import PythonEvalType

from sqlml.binding.outputs import Asked, Output, chosen, struct_of
from sqlml.settings import CACHE_SIZE, ONNXRUNTIME, SCORING_MEMORY
from sqlml.signature import Signature
from sqlml.spark.applications import setting

if TYPE_CHECKING:
    from pyspark import Broadcast
    from pyspark.sql import SparkSession

    from sqlml.importing.unregistered_model import GivenModel
    from sqlml.registry import ModelVersion

# Arrow in, Arrow out, without pandas in between; Spark has it since 4.1.
_ARROW = getattr(PythonEvalType, "SQL_SCALAR_ARROW_UDF", None)

# How `sqlml.scoring.scorer`, which knows no names, begins its messages.
_ANY_MODEL = "The model"
# What a driver keeps at hand. Older ones are made again when they are needed; queries that run hold on to their own.
_MOST_FUNCTIONS = 256
_lock = threading.Lock()
_Key = tuple[str, str, Signature, str]
_functions: dict[_Key, tuple[ScoringFunction, Broadcast[bytes]]] = {}
_used: dict[tuple[str, Signature], tuple[bool, ...]] = {}


class ScoringFunction(NamedTuple):
    """A model for queries.

    Attributes:
        udf: the JVM's UserDefinedPythonFunction.
        features: places in the signature of the features that it takes, which are those that the model uses.
    """

    udf: Any
    features: tuple[int, ...]


class Scoring:
    """Scores one batch of rows on an executor.

    Args:
        function: a value of `sqlml.parser.functions.FUNCTIONS`.
        digest: what the graph is cached under in a worker process.
        model: the graph's bytes, which reach an executor once.
        title: what errors call the model.
        cache_size: the most bytes of models that a worker process keeps loaded.
        memory: the most bytes that models and their scoring may take in one.
        used: for each feature, whether there is a column for it.
        outputs: of `predict_outputs`, which ones; of another function none.
        threshold: see `sqlml.binding.outputs.Asked`.
    """

    def __init__(
        self,
        function: str,
        digest: str,
        signature: Signature,
        model: Broadcast[bytes],
        title: str,
        cache_size: int,
        memory: int,
        used: tuple[bool, ...],
        outputs: tuple[Output, ...] = (),
        threshold: float | None = None,
    ) -> None:
        self._function = function
        self._used = used
        self._outputs, self._threshold = outputs, threshold
        self._digest = digest
        self._signature = signature
        self._model = model
        self._title = title
        self._cache_size, self._memory = cache_size, memory

    def __call__(self, *columns: pa.Array) -> pa.Array:
        from sqlml.errors import SqlmlError
        from sqlml.scoring.memory_limit import scored
        from sqlml.scoring.model_cache import set_cache_limit

        set_cache_limit(self._cache_size)
        try:
            return scored(self._memory, self._digest, self._title, self._score, columns)
        except SqlmlError as error:
            # The worker ends with this error. Its message says all; our frames would stand before it.
            os.environ["SPARK_HIDE_TRACEBACK"] = "1"
            message = error.message
            if message.startswith(_ANY_MODEL):
                message = f"Model {self._title}{message.removeprefix(_ANY_MODEL)}"
            raise SqlmlError(error.condition, message, hint=error.hint) from None

    def _score(self, columns: Sequence[pa.Array]) -> pa.Array:
        from sqlml.scoring.model_cache import scorer
        from sqlml.scoring.output_columns import columns as output_columns

        signature = self._signature
        loaded = scorer(self._digest, lambda: self._model.value, signature, self._used)
        if self._outputs:
            return output_columns(loaded, signature, columns, self._outputs, self._threshold)
        return loaded.label(columns) if self._function == "predict" else loaded.shares(columns)


class PandasScoring(Scoring):
    """The same over pandas series, for Spark 4.0.

    Args:
        zone: the session's time zone. Spark gives pandas local times without saying so; the hour that a clock passes
            twice in autumn is taken as missing.
    """

    def __init__(
        self,
        function: str,
        digest: str,
        signature: Signature,
        model: Broadcast[bytes],
        title: str,
        cache_size: int,
        memory: int,
        used: tuple[bool, ...],
        outputs: tuple[Output, ...],
        threshold: float | None,
        zone: str | None,
    ) -> None:
        super().__init__(function, digest, signature, model, title, cache_size, memory, used, outputs, threshold)
        self._zone = zone
        self._moments = [
            feature.type == "timestamp" for feature, taken in zip(signature.features, used, strict=True) if taken
        ]

    def __call__(self, *columns: Any) -> Any:
        import pandas as pd

        series = [
            column.dt.tz_localize(self._zone, ambiguous="NaT", nonexistent="shift_forward")
            if moment and pd.api.types.is_datetime64_any_dtype(column)  # a bare NULL is no timestamp yet
            else column
            for column, moment in zip(columns, self._moments, strict=True)
        ]
        result = super().__call__(*[pa.Array.from_pandas(column) for column in series])
        if self._outputs:
            fields = zip(result.type, result.flatten(), strict=True)
            return pd.DataFrame({field.name: pd.Series(_plain(column), dtype=object) for field, column in fields})
        if pa.types.is_struct(result.type):
            # Spark takes a struct of a data frame, in which a whole row cannot be NULL; its numbers are.
            names = [field.name for field in result.type]
            return pd.DataFrame([row or {} for row in result.to_pylist()], columns=names, dtype="float64")
        return result.to_pandas()


def _plain(column: pa.Array) -> list[Any]:
    return [dict(value) if pa.types.is_map(column.type) and value else value for value in column.to_pylist()]


def scoring_function(
    spark: SparkSession,
    function: str,
    model: ModelVersion | GivenModel,
    outputs: tuple[Output, ...] = (),
    asked: Asked | None = None,
) -> ScoringFunction:
    """The function of a model; one per model and application, so calls of it are equal.

    Args:
        outputs: of `predict_outputs`, what `check` found for `asked`.
        asked: of `predict_outputs`, which outputs.
    """
    from sqlml.compiler.optimized_graph import prepared

    threshold = None if asked is None else asked.threshold
    zone = spark.conf.get("spark.sql.session.timeZone") if _ARROW is None else None
    name = f"{function} {model.name}/{model.version} {zone} {asked}"
    key = (spark.sparkContext.applicationId, model.digest, model.signature, name)
    with _lock:
        if key in _functions:
            return _functions[key][0]
        sent = _broadcast(key)
    # Outside the lock: a registry that takes its time must not stop queries over other models.
    sent = sent or spark.sparkContext.broadcast(prepared(model.onnx(), model.signature))
    used = features_used(model)
    features = tuple(place for place, taken in enumerate(used) if taken)
    title = f"{model.name}/{model.version}"
    limits = (setting(spark, CACHE_SIZE), setting(spark, SCORING_MEMORY))
    arguments = (function, model.digest, model.signature, sent, title, *limits, used, outputs, threshold)
    udf = UserDefinedFunction(
        PandasScoring(*arguments, zone) if _ARROW is None else Scoring(*arguments),
        returnType=struct_of(outputs) if outputs else result_type(function, model.signature),
        name=explained(function, model, ONNXRUNTIME, features),
        evalType=PythonEvalType.SQL_SCALAR_PANDAS_UDF if _ARROW is None else _ARROW,
    )
    made = ScoringFunction(udf._judf, features)
    with _lock:
        # Where two queries were equally fast, both get the same one.
        made, _ = _functions.setdefault(key, (made, sent))
        if len(_functions) > _MOST_FUNCTIONS:
            del _functions[next(iter(_functions))]
    return made


def check(function: str, model: ModelVersion | GivenModel, asked: Asked | None) -> tuple[Output, ...]:
    """The outputs that are asked for, none of another function than `predict_outputs`; whatever the engine.

    Raises:
        SqlmlError: SQLML_TYPE_MISMATCH when probabilities are asked of a model that has none; SQLML_COLUMN_NOT_FOUND
            for an output that it has not.
    """
    if asked is not None:
        return chosen(model.name, model.signature, asked)
    result_type(function, model.signature)
    return ()


def explained(function: str, model: ModelVersion | GivenModel, engine: str, features: Sequence[int]) -> str:
    """What EXPLAIN calls a call: its model's version, the engine, and how many features are used where not all are."""
    all_of_them = len(model.signature.features)
    few = f", {len(features)} of {all_of_them} features" if len(features) < all_of_them else ""
    return f"{function}[{model.name}/{model.version} {engine}{few}]"


def features_used(model: ModelVersion | GivenModel) -> tuple[bool, ...]:
    """For each feature, whether the model's answer can depend on it."""
    from sqlml.compiler.feature_usage import used_features

    key = (model.digest, model.signature)
    found = _used.get(key)
    if found is None:
        found = used_features(model.onnx(), model.signature)
        with _lock:
            _used[key] = found
            if len(_used) > _MOST_FUNCTIONS:
                del _used[next(iter(_used))]
    return found


def result_type(function: str, signature: Signature) -> str:
    """The Spark SQL type of what a function gives in Python.

    Raises:
        SqlmlError: SQLML_TYPE_MISMATCH; see `check`.
    """
    from sqlml.errors import SqlmlError

    if function == "predict":
        if signature.outputs:
            return "struct<" + ",".join(f"`{name.replace('`', '``')}`:double" for name in signature.outputs) + ">"
        return signature.target_type if signature.labels else "double"
    if not signature.labels or not signature.probabilities:
        raise SqlmlError(
            "SQLML_TYPE_MISMATCH",
            f"PREDICT_PROBA needs probabilities, and this model, which does {signature.task.replace('_', ' ')}, has"
            " none.",
            hint="Use PREDICT.",
        )
    return "array<double>"


def _broadcast(key: _Key) -> Broadcast[bytes] | None:
    """The bytes another function of the same model has sent already."""
    return next((sent for other, (_, sent) in _functions.items() if other[:-1] == key[:-1]), None)
