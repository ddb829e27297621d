"""A model under both engines, through SQL: what is compiled into the query must answer what ONNX Runtime does."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet
from sql_engines import Model, typed

from sqlml.estimators import Estimator
from sqlml.estimators.job import Fidelity, Fitted, Job
from sqlml.estimators.preparation import Preparation
from sqlml.lineage import Lineage, software
from sqlml.registry.model_version import IMPORTED
from sqlml.signature import Signature
from sqlml.training import Trained

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MODEL, _VIEW = "engine_pair", "engine_rows"


def register(registry: Path, onnx: bytes, signature: Signature) -> None:
    """As a new version of the model."""
    from sqlml.registry import Registry

    nothing = Preparation((), ())
    fitted = Fitted(onnx, signature, nothing, {}, Fidelity(0, 0.0, 0), rows=0, held_out=0, params={}, library="")
    estimator = Estimator(IMPORTED, classes={}, params=())
    job = Job(estimator.name, signature, params={}, seed=0, test_fraction=0.0, tolerance=0.0)
    schema = tuple((feature.name, feature.type) for feature in signature.features)
    trained = Trained(estimator, fitted, job, schema, Lineage(software=software(IMPORTED, spark=None)))
    store = Registry(f"sqlite:///{registry / 'registry.db'}", str(registry / "artifacts"))
    with store.training_run(_MODEL, "", {}, "tester") as run:
        run.register(trained, comment=None)


def compare(
    spark: SparkSession, registry: Path, fitted: Model, rows: pa.Table, folder: Path, *, tolerance: float = 1e-9
) -> bool:
    """Asserts that both engines say the same of every row, from Parquet (generated code) and from memory
    (interpreted); returns whether the model was compiled.

    A label may differ where the best two probabilities are within the tolerance, if that is not the usual one.
    """
    register(registry, fitted.onnx, fitted.signature)
    session = spark.newSession()
    rows = typed(rows, fitted.signature)
    for feature in fitted.signature.features:
        if feature.whole:  # What is too large for one is some other number, the same for both.
            place = rows.schema.get_field_index(feature.name)
            rows = rows.set_column(place, feature.name, rows.column(place).cast(pa.int64(), safe=False))
    file = folder / f"{len(list(folder.iterdir()))}.parquet"
    pyarrow.parquet.write_table(rows, file)
    asked = ["PREDICT(engine_pair, *) AS label"]
    if fitted.signature.labels and fitted.signature.probabilities:
        asked.append("PREDICT_PROBA(engine_pair, *) AS probabilities")
    query = f"SELECT id, {', '.join(asked)} FROM {_VIEW}"
    compiled = False
    for frame in (session.read.parquet(str(file)), session.createDataFrame(rows)):
        frame.createOrReplaceTempView(_VIEW)
        answers: dict[str, list[Any]] = {}
        for engine in ("onnxruntime", "compiled"):
            session.conf.set("spark.sqlml.engine", engine)
            answers[engine] = sorted(map(tuple, session.sql(query).collect()))
        plan = session.sql(f"EXPLAIN EXTENDED {query}").collect()[0][0]
        compiled = f"{_MODEL}/" in plan and " compiled" in plan
        if not compiled:
            return False
        _same(answers["onnxruntime"], answers["compiled"], rows, tolerance)
    return compiled


def _same(wanted: list[Any], found: list[Any], rows: pa.Table, tolerance: float) -> None:
    assert len(wanted) == len(found) == rows.num_rows
    for expected, actual in zip(wanted, found, strict=True):
        row = rows.slice(expected[0], 1).to_pylist()
        worst = max(map(_difference, expected[2:], actual[2:]), default=0.0)
        assert worst <= tolerance, (worst, expected, actual, row)
        if isinstance(expected[1], (float, tuple)):
            assert _difference(expected[1], actual[1]) <= tolerance, (expected, actual, row)
        elif expected[1] != actual[1]:
            close = tolerance > 1e-9 and len(expected) > 2
            best = sorted(expected[2].values())[-2:] if close else [0.0, 1.0]
            assert best[1] - best[0] <= tolerance, (expected, actual, row)


def _difference(expected: Any, actual: Any) -> float:
    """Relative above 1; 0 of what is missing on both sides, infinite of what is on one."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        assert list(expected) == list(actual)
        expected, actual = tuple(expected.values()), tuple(actual.values())
    if isinstance(expected, tuple) and isinstance(actual, tuple):
        return max(map(_difference, expected, actual))
    if expected is None or actual is None:
        return 0.0 if expected is actual else math.inf
    if expected == actual or (math.isnan(expected) and math.isnan(actual)):
        return 0.0
    difference = abs(expected - actual) / max(1.0, abs(expected))
    return math.inf if math.isnan(difference) else difference
