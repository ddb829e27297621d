"""Models computed in the query itself: what `sqlml.compiler.catalyst` writes, handed to the JVM."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sqlml.compiler.catalyst import Program, program
from sqlml.scoring import NULL_TEXT
from sqlml.spark.udf import features_used

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from sqlml.importing.given_model import GivenModel
    from sqlml.registry import ModelVersion

# What a driver keeps at hand; older ones are compiled again.
_MOST_PROGRAMS = 256
_lock = threading.Lock()
_programs: dict[tuple[Any, ...], Compiled | None] = {}


class Compiled(NamedTuple):
    """A model for queries.

    Attributes:
        program: the JVM's `org.sqlml.Program`.
        features: places in the signature of the features that it takes.
    """

    program: Any
    features: tuple[int, ...]


def compiled(spark: SparkSession, model: ModelVersion | GivenModel, given: Sequence[str]) -> Compiled | None:
    """A model; None where ONNX Runtime must score.

    Args:
        given: the Spark type of the argument for each feature.
    """
    version = (model.digest, model.signature)
    key = (spark.sparkContext.applicationId, version, tuple(given))
    with _lock:
        if key in _programs:
            return _programs[key]
    made = program(model.onnx(), model.signature, given, features_used(model))
    found = None if made is None else Compiled(_in_jvm(spark, made), made.features)
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
        "numbers": made.numbers,
        "present": made.present,
        "labels": made.labels,
        "unknown": made.unknown,
        "label_type": made.label_type,
        "arrays": arrays,
    }
    jvm: Any = spark.sparkContext._jvm
    return jvm.org.sqlml.Program.of(spark._jsparkSession, json.dumps(described), contents)
