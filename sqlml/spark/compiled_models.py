"""The compiled engine's models in the JVM: compiles by `sqlml.compiler.catalyst`, caches, and transfers programs."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from sqlml.compiler import catalyst
from sqlml.compiler.catalyst import Program, program
from sqlml.compiler.cost import compiled_is_cheaper
from sqlml.parser.functions import FUNCTIONS
from sqlml.scoring.feature_values import NULL_TEXT
from sqlml.spark.udf import features_used

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from sqlml.importing.unregistered_model import UnregisteredModel
    from sqlml.registry import ModelVersion

T = TypeVar("T")
# The capacity of each cache; the oldest entries are evicted and compiled again when needed.
_MOST_PROGRAMS = 256
_lock = threading.Lock()
_Key = tuple[Any, ...]
_programs: dict[_Key, Compiled | None] = {}
# For each compiled model the functions that it computes at less cost than ONNX Runtime. A program that is dearer is
# transferred to the JVM only when a query needs it.
_cheaper: dict[_Key, list[str]] = {}
_labels: dict[_Key, Any] = {}
_FUNCTIONS = frozenset(FUNCTIONS.values())


class Compiled(NamedTuple):
    """A compiled model.

    Attributes:
        program: the JVM's `org.sqlml.expressions.Program`.
        features: indices in the signature of the features that it takes.
    """

    program: Any
    features: tuple[int, ...]


def compiled(
    spark: SparkSession,
    function: str,
    model: ModelVersion | UnregisteredModel,
    types: Sequence[str],
    *,
    only_if_cheaper: bool = False,
) -> Compiled | None:
    """Compiles a model for the query's argument types, or takes it from the cache; None where ONNX Runtime must score.

    Args:
        types: the Spark type of the argument for each feature.
        only_if_cheaper: also return None where ONNX Runtime computes the function at less cost.
    """
    key = (spark.sparkContext.applicationId, (model.digest, model.signature), tuple(types))
    with _lock:
        if only_if_cheaper and function not in _cheaper.get(key, _FUNCTIONS):
            return None
        if key in _programs:
            return _programs[key]
    onnx, signature = model.onnx(), model.signature
    made = program(onnx, signature, types, features_used(model))
    cheaper = [] if made is None else [one for one in _FUNCTIONS if compiled_is_cheaper(one, onnx, made, signature)]
    _keep(_cheaper, key, cheaper)
    if only_if_cheaper and function not in cheaper:
        return None
    return _keep(_programs, key, None if made is None else Compiled(_in_jvm(spark, made), made.features))


def labels(spark: SparkSession, model: ModelVersion | UnregisteredModel) -> Any:
    """The JVM's `Labels` of a model that ONNX Runtime scores; one object per model."""
    key = (spark.sparkContext.applicationId, model.digest, model.signature)
    with _lock:
        if key in _labels:
            return _labels[key]
    described = {
        **dict.fromkeys(("inputs", "definitions", "numbers", "arrays"), ()),
        "present": "",
        "labels": catalyst.labels(model.signature),
        "unknown": True,
        "label_type": model.signature.target_type,
    }
    jvm: Any = spark.sparkContext._jvm
    return _keep(_labels, key, jvm.org.sqlml.expressions.Program.labelsOf(spark._jsparkSession, json.dumps(described)))


def _keep(known: dict[_Key, T], key: _Key, value: T) -> T:
    """Adds a value to a cache and returns it; of two concurrent queries' values the first is kept."""
    with _lock:
        value = known.setdefault(key, value)
        if len(known) > _MOST_PROGRAMS:
            del known[next(iter(known))]
    return value


def _in_jvm(spark: SparkSession, made: Program) -> Any:
    """Transfers a program to the JVM: its structure as JSON, its forests and tables as bytes."""
    arrays: list[dict[str, Any]] = []
    contents: list[bytearray] = []
    for array in made.arrays:
        if isinstance(array, bytes):
            arrays.append({"kind": "forest"})
            contents.append(bytearray(array))
        elif isinstance(array, np.ndarray):
            arrays.append({"kind": "table"})
            contents.append(bytearray(array.astype("<f8").tobytes()))
        else:
            missing = array.index(NULL_TEXT) if NULL_TEXT in array else len(array)
            arrays.append({"kind": "texts", "keys": list(array), "missing": missing})
            contents.append(bytearray())
    described = {
        "inputs": made.inputs,
        "definitions": [asdict(definition) for definition in made.definitions],
        "numbers": made.numbers,
        "present": made.present,
        "labels": made.labels,
        "unknown": made.unknown,
        "label_type": made.label_type,
        "arrays": arrays,
    }
    jvm: Any = spark.sparkContext._jvm
    return jvm.org.sqlml.expressions.Program.of(spark._jsparkSession, json.dumps(described), contents)
