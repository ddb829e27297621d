"""Compiled models on rows without queries, beside ONNX Runtime: thousands of small graphs in minutes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from helpers.folders import FIXTURES
from sqlml.compiler.catalyst import Program, program
from sqlml.compiler.feature_usage import used_features
from sqlml.compiler.operators import OPERATORS
from sqlml.compiler.operators.rule import Rule
from sqlml.signature import Signature

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_JAVA = FIXTURES / "java" / "Evaluated.java"
_TEXTS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
# By domain and name.
RULES = {
    (domain, name): row.rule
    for domain, rows in OPERATORS.items()
    for name, row in rows.items()
    if isinstance(row.rule, Rule)
}
FORMS = ("interpreted", "in a method", "in place")


class Case(NamedTuple):
    """A graph, and rows of its features: None is NULL."""

    name: str
    onnx: bytes
    signature: Signature
    rows: list[list[Any]]


def compiled(case: Case) -> Program | None:
    """None where ONNX Runtime must score it."""
    given = [feature.type for feature in case.signature.features]
    return program(case.onnx, case.signature, given, used_features(case.onnx, case.signature))


class Evaluator:
    """The JVM's side; its class is compiled once."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        import pyspark

        from sqlml.spark.launch import jar

        jars = Path(pyspark.__file__).parent / "jars"
        command = ["javac", "-nowarn", "-cp", f"{jar()}:{jars}/*", "-d", str(folder), str(_JAVA)]
        subprocess.run(command, check=True, capture_output=True)
        self._spark = spark
        self._gateway: Any = spark.sparkContext._gateway
        jvm = self._gateway.jvm
        urls = self._gateway.new_array(jvm.java.net.URL, 1)
        urls[0] = jvm.java.io.File(str(folder)).toURI().toURL()
        loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
        evaluated = jvm.java.net.URLClassLoader(urls, loader).loadClass("Evaluated")
        (self._all,) = [method for method in evaluated.getMethods() if method.getName() == "all"]

    def __call__(self, cases: Sequence[tuple[Case, Program]]) -> list[NDArray[np.float64]]:
        """For each the numbers [forms, rows, numbers]; what has no answer is NaN."""
        from sqlml.spark.compiled_models import _in_jvm

        jvm = self._gateway.jvm
        programs = jvm.java.util.ArrayList()
        rows = []
        for case, made in cases:
            programs.add(_in_jvm(self._spark, made))
            rows.append([[_plain(row[place]) for place in made.features] for row in case.rows])
        arguments = self._gateway.new_array(jvm.java.lang.Object, 2)
        arguments[0], arguments[1] = programs, json.dumps(rows)
        pairs = np.frombuffer(self._all.invoke(None, arguments), "<f8").reshape(-1, 2)
        numbers = np.where(pairs[:, 1] == 1.0, pairs[:, 0], np.nan)
        sizes = [len(case.rows) * len(made.numbers) for case, made in cases]
        ends = np.cumsum(sizes)[:-1]
        parts = [np.split(form, ends) for form in numbers.reshape(len(FORMS), -1)]
        return [
            np.stack([form[place] for form in parts]).reshape(len(FORMS), len(case.rows), -1)
            for place, (case, _) in enumerate(cases)
        ]


def _plain(value: Any) -> Any:
    """As JSON has it; NaN and infinities are Java's texts there."""
    return _TEXTS.get(str(value), value) if isinstance(value, float) else value


def by_onnxruntime(case: Case) -> NDArray[np.float64]:
    """The prediction of each row, from the features that are used; NaN where there is no answer."""
    import pyarrow as pa

    from sqlml.scoring.scorer import Scorer

    kinds = {"double": pa.float64(), "bigint": pa.int64(), "string": pa.string()}
    there = answered(case)
    rows = [row for row, taken in zip(case.rows, there, strict=True) if taken]
    found = np.full((len(case.rows), max(1, len(case.signature.outputs))), np.nan)
    if rows:
        used = used_features(case.onnx, case.signature)
        columns = [
            pa.array([row[place] for row in rows], kinds[feature.type])
            for place, feature in enumerate(case.signature.features)
            if used[place]
        ]
        scores = Scorer(case.onnx, case.signature, used).raw(columns)["prediction"]
        found[there] = np.asarray(scores, dtype=np.float64).reshape(len(rows), -1)
    return found


def answered(case: Case) -> NDArray[np.bool_]:
    """Of each row, whether all is there that is required."""
    required = [place for place, feature in enumerate(case.signature.features) if feature.required]
    return np.array([all(row[at] is not None and np.isfinite(row[at]) for at in required) for row in case.rows], bool)


def differences(
    wanted: NDArray[np.float64], found: NDArray[np.float64], tolerance: NDArray[np.float64] | float
) -> list[tuple[int, ...]]:
    """The places of numbers that differ by more than the tolerance, relative above 1. What is NaN must be NaN."""
    with np.errstate(all="ignore"):
        apart = np.abs(found - wanted) <= tolerance * np.maximum(1.0, np.abs(wanted))
    same = (found == wanted) | (np.isnan(found) & np.isnan(wanted)) | apart
    return [tuple(place) for place in np.argwhere(~same).tolist()]
