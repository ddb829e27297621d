"""The scoring UDF: a vectorised Spark function that runs a model's graph by ONNX Runtime on the executors.

The executors import this module from the package that is sent to them: it needs only pyspark, pyarrow, numpy and
onnxruntime.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from pyspark.sql.udf import UserDefinedFunction
from pyspark.util import PythonEvalType

from sqlml.binding.outputs import Output, RequestedOutputs, chosen, struct_of
from sqlml.settings import CACHE_SIZE, ONNXRUNTIME, SCORING_MEMORY
from sqlml.signature import Signature, without_collations
from sqlml.spark.applications import is_local, setting

if TYPE_CHECKING:
    from pyspark import Broadcast
    from pyspark.sql import SparkSession

    from sqlml.importing.unregistered_model import UnregisteredModel
    from sqlml.registry import ModelVersion

# UDFs over Arrow arrays without pandas, which Spark has since 4.1; None on 4.0.
_ARROW = getattr(PythonEvalType, "SQL_SCALAR_ARROW_UDF", None)

# The start of the messages of `sqlml.scoring.scorer`, which does not know the model's name.
_ANY_MODEL = "The model"
# The capacity of the driver's caches. Evicted functions are made again; running queries hold on to theirs.
_MOST_FUNCTIONS = 256
_lock = threading.Lock()
_Key = tuple[str, str, Signature, str]
_functions: dict[_Key, tuple[ScoringFunction, Broadcast[bytes]]] = {}
_used: dict[tuple[str, Signature], tuple[bool, ...]] = {}


class ScoringFunction(NamedTuple):
    """The UDF of a model.

    Attributes:
        udf: the JVM's UserDefinedPythonFunction.
        features: indices in the signature of the features that it takes: those that the model uses.
    """

    udf: Any
    features: tuple[int, ...]


class Scoring:
    """The body of the UDF: scores one batch of rows.

    Args:
        function: a value of `sqlml.parser.functions.FUNCTIONS`.
        digest: the key of the model in a worker process's cache.
        model: the broadcast graph, which reaches an executor once.
        title: the model's name and version, for errors.
        cache_size: the most bytes of models that a worker process keeps loaded.
        memory: the most bytes that models and scoring may use in a worker process.
        used: for each feature, whether a column is passed for it.
        outputs: the requested outputs of `predict_outputs`; empty for other functions.
        threshold: see `sqlml.binding.outputs.RequestedOutputs`.
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
            _check_packages(self._title)
            return scored(self._memory, self._digest, self._title, self._score, columns)
        except SqlmlError as error:
            # The worker process ends with this error; the message suffices without a Python traceback before it.
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


def _check_packages(title: str) -> None:
    """Raises SqlmlError SQLML_MISSING_PACKAGE where this worker's Python has no ONNX Runtime."""
    import importlib.util
    import socket
    import sys

    from sqlml.errors import SqlmlError

    if "onnxruntime" in sys.modules or importlib.util.find_spec("onnxruntime") is not None:
        return
    raise SqlmlError(
        "SQLML_MISSING_PACKAGE",
        f"Model {title} is scored by ONNX Runtime, which the Python of an executor does not have: {sys.executable} on"
        f" {socket.gethostname()}.",
        hint="Install it there: pip install onnxruntime. Or send an environment with --archives, name another Python in"
        " spark.pyspark.python, or use a model that can be compiled (SET spark.sqlml.engine = compiled).",
    )


class PandasScoring(Scoring):
    """`Scoring` over pandas series, for Spark 4.0, which has no Arrow UDFs.

    Args:
        zone: the session's time zone. Spark passes local times without a zone to pandas; the ambiguous hour at the end
            of daylight saving time counts as missing.
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
            if moment and pd.api.types.is_datetime64_any_dtype(column)  # a bare NULL has no timestamp dtype
            else column
            for column, moment in zip(columns, self._moments, strict=True)
        ]
        result = super().__call__(*[pa.Array.from_pandas(column) for column in series])
        if self._outputs:
            fields = zip(result.type, result.flatten(), strict=True)
            return pd.DataFrame({field.name: pd.Series(_plain(column), dtype=object) for field, column in fields})
        if pa.types.is_struct(result.type):
            # Spark takes a struct as a data frame, in which a whole row cannot be NULL: its members are.
            names = [field.name for field in result.type]
            return pd.DataFrame([row or {} for row in result.to_pylist()], columns=names, dtype="float64")
        return result.to_pandas()


def _plain(column: pa.Array) -> list[Any]:
    return [dict(value) if pa.types.is_map(column.type) and value else value for value in column.to_pylist()]


def scoring_function(
    spark: SparkSession,
    function: str,
    model: ModelVersion | UnregisteredModel,
    outputs: tuple[Output, ...] = (),
    requested: RequestedOutputs | None = None,
) -> ScoringFunction:
    """The UDF of a model, cached per model and application, so that two calls are equal for the optimizer.

    Args:
        outputs: for `predict_outputs`, the result of `check`.
        requested: for `predict_outputs`, the request behind it.
    """
    from sqlml.compiler.optimized_graph import prepared

    threshold = None if requested is None else requested.threshold
    zone = spark.conf.get("spark.sql.session.timeZone") if _ARROW is None else None
    name = f"{function} {model.name}/{model.version} {zone} {requested}"
    key = (spark.sparkContext.applicationId, model.digest, model.signature, name)
    with _lock:
        if key in _functions:
            return _functions[key][0]
        sent = _broadcast(key)
    # Outside the lock: a slow registry must not block queries over other models.
    sent = sent or spark.sparkContext.broadcast(prepared(model.onnx(), model.signature))
    # The UDF takes only the columns of features that the model uses.
    used = features_used(model)
    features = tuple(index for index, taken in enumerate(used) if taken)
    title = f"{model.name}/{model.version}"
    arguments = {
        "function": function,
        "digest": model.digest,
        "signature": model.signature,
        "title": title,
        "cache_size": setting(spark, CACHE_SIZE),
        "memory": setting(spark, SCORING_MEMORY),
        "used": used,
        "outputs": outputs,
        "threshold": threshold,
        **({"zone": zone} if _ARROW is None else {}),
    }
    udf = UserDefinedFunction(
        _body(spark, sent, arguments),
        # Arrow knows no collations.
        returnType=without_collations(returned(function, model.signature, outputs)),
        name=explained(function, model, ONNXRUNTIME, features),
        evalType=PythonEvalType.SQL_SCALAR_PANDAS_UDF if _ARROW is None else _ARROW,
    )
    made = ScoringFunction(udf._judf, features)
    with _lock:
        # Two concurrent queries get the same function.
        made, _ = _functions.setdefault(key, (made, sent))
        if len(_functions) > _MOST_FUNCTIONS:
            del _functions[next(iter(_functions))]
    return made


def _body(spark: SparkSession, model: Broadcast[bytes], arguments: dict[str, Any]) -> Any:
    """What the workers call: of the driver's own package, or of the one that goes to the executors with the query."""
    kind = Scoring if _ARROW is not None else PandasScoring
    if is_local(spark):
        return kind(model=model, **arguments)
    from sqlml.spark.executor_package import shipped

    return shipped(spark, __name__, kind.__name__, {"model": model}, arguments)


def check(
    function: str, model: ModelVersion | UnregisteredModel, requested: RequestedOutputs | None
) -> tuple[Output, ...]:
    """Checks a call, whichever engine scores it; returns the outputs of `predict_outputs`, or () for other functions.

    Raises:
        SqlmlError: SQLML_TYPE_MISMATCH for PREDICT_PROBA of a model without probabilities; SQLML_COLUMN_NOT_FOUND for
            an output that the model does not have.
    """
    if requested is not None:
        return chosen(model.name, model.signature, requested)
    result_type(function, model.signature)
    return ()


def explained(function: str, model: ModelVersion | UnregisteredModel, engine: str, features: Sequence[int]) -> str:
    """The name of a call in EXPLAIN: model and version, engine, and the number of used features if not all are."""
    all_of_them = len(model.signature.features)
    few = f", {len(features)} of {all_of_them} features" if len(features) < all_of_them else ""
    return f"{function}[{model.name}/{model.version} {engine}{few}]"


def features_used(model: ModelVersion | UnregisteredModel) -> tuple[bool, ...]:
    """For each feature, whether the model's output can depend on it; cached."""
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


def returned(function: str, signature: Signature, outputs: tuple[Output, ...]) -> str:
    """The Spark SQL type of a call of a function.

    Args:
        outputs: for `predict_outputs`, the result of `check`; () for other functions.
    """
    return struct_of(outputs) if outputs else result_type(function, signature)


def result_type(function: str, signature: Signature) -> str:
    """The Spark SQL type that the UDF of a function returns.

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
            f"PREDICT_PROBA needs a model with probabilities, and this model for {signature.task.replace('_', ' ')}"
            " has none.",
            hint="Use PREDICT.",
        )
    return "array<double>"


def _broadcast(key: _Key) -> Broadcast[bytes] | None:
    """The broadcast graph of another function of the same model, if there is one."""
    return next((sent for other, (_, sent) in _functions.items() if other[:-1] == key[:-1]), None)
