"""Models computed in the query itself: what `sqlml.compiler.catalyst` writes, handed to the JVM."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sqlml.compiler.catalyst import Program, program
from sqlml.compiler.cost import compiled_is_cheaper
from sqlml.scoring import NULL_TEXT
from sqlml.settings import COMPILED
from sqlml.spark.udf import explained, features_used, result_type

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from sqlml.importing.given_model import GivenModel
    from sqlml.registry import ModelVersion

# What a driver keeps at hand; older ones are compiled again.
_MOST_PROGRAMS = 256
_lock = threading.Lock()
_programs: dict[tuple[Any, ...], Compiled | None] = {}
# Those that cost more than ONNX Runtime: they are not handed to the JVM before somebody asks for them.
_dearer: dict[tuple[Any, ...], None] = {}


class Compiled(NamedTuple):
    """A model for queries.

    Attributes:
        program: the JVM's `org.sqlml.Program`.
        name: what EXPLAIN calls it.
        features: places in the signature of the features that it takes.
    """

    program: Any
    name: str
    features: tuple[int, ...]


def compiled(
    spark: SparkSession,
    function: str,
    model: ModelVersion | GivenModel,
    given: Sequence[str],
    *,
    only_if_cheaper: bool = False,
) -> Compiled | None:
    """A model's function; None where ONNX Runtime must score.

    Args:
        given: the Spark type of the argument for each feature.
        only_if_cheaper: None too where ONNX Runtime scores at less cost.

    Raises:
        SqlmlError: SQLML_TYPE_MISMATCH when probabilities are asked of a model that has none.
    """
    kind = result_type(function, model.signature)
    version = (model.digest, model.signature, model.name, model.version)
    key = (spark.sparkContext.applicationId, version, function, tuple(given))
    with _lock:
        if only_if_cheaper and key in _dearer:
            return None
        if key in _programs:
            return _programs[key]
    made = program(model.onnx(), model.signature, function, kind, given, features_used(model))
    found = None
    if made is not None and not compiled_is_cheaper(model.onnx(), made, model.signature):
        with _lock:
            _dearer[key] = None
            if len(_dearer) > _MOST_PROGRAMS:
                del _dearer[next(iter(_dearer))]
        if only_if_cheaper:
            return None
    if made is not None:
        name = explained(function, model, COMPILED, made.features)
        found = Compiled(_in_jvm(spark, made), name, made.features)
    with _lock:
        found = _programs.setdefault(key, found)
        if len(_programs) > _MOST_PROGRAMS:
            del _programs[next(iter(_programs))]
    return found


def _in_jvm(spark: SparkSession, made: Program) -> Any:
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
        "output": made.output,
        "type": made.output_type,
        "arrays": arrays,
    }
    jvm: Any = spark.sparkContext._jvm
    return jvm.org.sqlml.Program.of(spark._jsparkSession, json.dumps(described), contents)
