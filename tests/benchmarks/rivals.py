"""Who answers: one row of RIVALS each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks import spark_rivals, udf_rivals
from benchmarks.workloads import Workload

# What a rival's column is, and so what it is compared with before it is timed: the probability of 1, the label, what a
# model of its own says of the same rows, or nothing of a model.
PROBABILITY, LABEL, OWN, NOTHING = "probability", "label", "own model", "nothing"

_HUGE = {"spark.sql.codegen.hugeMethodLimit": "8000"}
FLOOR, IDENTITY, RAW, ONNX_ENGINE = (
    "scan and sum (floor)",
    "identity Arrow UDF",
    "raw ONNX Runtime",
    "sqlml onnxruntime",
)
AUTO_ENGINE, COMPILED_ENGINE = "sqlml auto", "sqlml compiled"
MLFLOW, PANDAS_LIBRARY, ARROW_ONNX = "mlflow.pyfunc.spark_udf", "pandas UDF + library", "Arrow UDF + ONNX Runtime"
ORBITAL, ORBITAL_8000 = "orbital's SQL", "orbital's SQL, hugeMethodLimit=8000"
SCAN_OF_ALL, MLLIB, XGBOOST_SPARK = "scan and sum of all columns", "MLlib transform", "xgboost.spark"
WITHOUT_PREDICT = "the query without PREDICT"
# What a server that has just started answers once more, and what it has answered before.
WITHOUT_FIRST = f"{WITHOUT_PREDICT}, the first time"
AUTO_SECOND, ONNX_SECOND = f"{AUTO_ENGINE}, the second time", f"{ONNX_ENGINE}, the second time"
# Parts of an analysis.
TEXT, ANSWER = "part: the text with its calls made plain", "part: the answer to one call"
VERSION, PROGRAM = "part of that: the version, from the registry", "part of that: what scores, known already"


@dataclass(frozen=True)
class Rival:
    """One way to score.

    Attributes:
        prepare: what is done once, before any clock runs; None for what does not run in Spark's session here.
        takes: which workloads it can do.
        engine: of our own engines its name, of everything else "".
        conf: session settings, for its queries alone.
        groups: of the workloads that it is used in.
    """

    name: str
    gives: str
    prepare: Callable[[Any, Any], udf_rivals.Scoring] | None
    takes: Callable[[Workload], bool] = lambda workload: True
    engine: str = ""
    conf: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ("main",)


def _of(*engines: str) -> Callable[[Workload], bool]:
    """Whether all models of a workload are of these estimators."""
    return lambda workload: all(model.estimator in engines for model in workload.models)


_IN_MLLIB = _of("sklearn.logistic_regression", "sklearn.decision_tree", "sklearn.gradient_boosting")
_IN_XGBOOST = _of("xgboost")


def _one_in_mllib(workload: Workload) -> bool:
    """Also what SQL as text can say: of a hundred trees Spark's compiler makes minutes."""
    return _IN_MLLIB(workload) and len(workload.models) == 1


def _engine(name: str, engine: str, conf: Mapping[str, str], groups: tuple[str, ...] = ("main", "choice")) -> Rival:
    conf = {"spark.sqlml.engine": engine, **conf}
    return Rival(name, PROBABILITY, spark_rivals.sqlml, engine=engine, conf=conf, groups=groups)


RIVALS: tuple[Rival, ...] = (
    Rival(FLOOR, NOTHING, spark_rivals.floor, groups=("main", "choice")),
    Rival(SCAN_OF_ALL, NOTHING, spark_rivals.scan_of_all),
    Rival(IDENTITY, NOTHING, udf_rivals.identity_udf),
    Rival(RAW, PROBABILITY, None),
    _engine(AUTO_ENGINE, "auto", {}, ("main", "choice", "cold", "thrift", "analysis")),
    _engine(COMPILED_ENGINE, "compiled", {}),
    _engine(f"{COMPILED_ENGINE}, hugeMethodLimit=8000", "compiled", _HUGE, ("main",)),
    _engine(ONNX_ENGINE, "onnxruntime", {}, ("main", "choice", "thrift", "analysis")),
    Rival("sqlml EXPORT … FORMAT sql", PROBABILITY, spark_rivals.exported, takes=_one_in_mllib),
    Rival(
        "sqlml EXPORT … FORMAT sql, hugeMethodLimit=8000",
        PROBABILITY,
        spark_rivals.exported,
        takes=_one_in_mllib,
        conf=_HUGE,
    ),
    Rival(ARROW_ONNX, PROBABILITY, udf_rivals.arrow_onnx),
    Rival("pandas UDF + ONNX Runtime", PROBABILITY, udf_rivals.pandas_onnx),
    Rival(PANDAS_LIBRARY, PROBABILITY, udf_rivals.pandas_library),
    Rival("predict_batch_udf + ONNX Runtime", PROBABILITY, udf_rivals.predict_batch_udf),
    Rival(MLFLOW, LABEL, udf_rivals.mlflow_spark_udf),
    Rival(MLLIB, OWN, spark_rivals.mllib, takes=_one_in_mllib),
    Rival(XGBOOST_SPARK, OWN, spark_rivals.xgboost_spark, takes=_IN_XGBOOST),
    Rival(ORBITAL, PROBABILITY, spark_rivals.orbital, takes=_one_in_mllib),
    Rival(
        ORBITAL_8000,
        PROBABILITY,
        spark_rivals.orbital,
        takes=_one_in_mllib,
        conf=_HUGE,
    ),
    Rival(WITHOUT_PREDICT, NOTHING, None, groups=("cold", "thrift", "analysis")),
    Rival(WITHOUT_FIRST, NOTHING, None, groups=("thrift",)),
    Rival(AUTO_SECOND, NOTHING, None, groups=("thrift",)),
    Rival(ONNX_SECOND, NOTHING, None, groups=("thrift",)),
    *(Rival(part, NOTHING, None, groups=("analysis",)) for part in (TEXT, ANSWER, VERSION, PROGRAM)),
)


def rivals_of(workload: Workload) -> tuple[Rival, ...]:
    return tuple(rival for rival in RIVALS if workload.group in rival.groups and rival.takes(workload))


def named(name: str) -> Rival:
    return next(rival for rival in RIVALS if rival.name == name)
