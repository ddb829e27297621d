"""A model under both engines, through SQL: what is compiled into the query must answer what ONNX Runtime does."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet

from helpers.sql_engines import Model, typed
from sqlml.estimators import Estimator
from sqlml.jobs.job import Fidelity, Fitted, Job
from sqlml.jobs.preparation import Preparation
from sqlml.lineage import Lineage, software
from sqlml.registry.model_version import IMPORTED
from sqlml.signature import Signature
from sqlml.training.trained import Trained

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MODEL, _VIEW = "engine_pair", "engine_rows"


def register(registry: Path, onnx: bytes, signature: Signature) -> None:
    """As a new version of the model."""
    from sqlml.registry import Registry

    nothing = Preparation((), ())
    fitted = Fitted(
        onnx, signature, nothing, {}, Fidelity(0, 0.0, 0), rows=0, held_out=0, measured=0, params={}, library=""
    )
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
    shown = len(asked) + 1
    query = f"SELECT id, {', '.join([*asked, *_other_ways(fitted.signature)])} FROM {_VIEW}"
    compiled = False
    for frame in (session.read.parquet(str(file)), session.createDataFrame(rows)):
        frame.createOrReplaceTempView(_VIEW)
        answers: dict[str, list[Any]] = {}
        for engine in ("onnxruntime", "compiled"):
            session.conf.set("spark.sqlml.engine", engine)
            found = session.sql(query).collect()
            for row in found:
                _consistent(row.asDict(), fitted.signature)
            answers[engine] = sorted(tuple(row)[:shown] for row in found)
        plan = session.sql(f"EXPLAIN EXTENDED {query}").collect()[0][0]
        compiled = f"{_MODEL}/" in plan and " compiled" in plan
        if not compiled:
            return False
        _same(answers["onnxruntime"], answers["compiled"], rows, tolerance)
    return compiled


def _other_ways(signature: Signature) -> list[str]:
    """The same answers asked for by other expressions, which are columns beside the first ones."""
    if not signature.labels:
        return ["PREDICT_OUTPUTS('engine_pair', '{}', *) AS outputs"]
    first, last = (_literal(signature.labels[place], signature) for place in (0, -1))
    ways = [f"PREDICT(engine_pair, *) = {last} AS is_last"]
    if signature.probabilities:
        ways += [
            f"PREDICT_PROBA(engine_pair, *)[{first}] AS first",
            "PREDICT_OUTPUTS('engine_pair', '{}', *) AS outputs",
        ]
    return ways


def _literal(label: Any, signature: Signature) -> str:
    text = str(label).replace("\\", "\\\\").replace("'", "\\'")
    return f"CAST('{text}' AS {signature.target_type})"


def _consistent(row: dict[str, Any], signature: Signature) -> None:
    """One row's answers, whichever way they were asked for."""
    label, outputs = row["label"], row.get("outputs")
    if "is_last" in row and signature.target_type.lower() in ("string", "boolean", "int", "bigint"):
        assert row["is_last"] == (None if label is None else label == signature.labels[-1]), row
    if outputs is not None and "outputs" in row:
        values = tuple(outputs)
        said = (label,) if not signature.outputs else tuple(label or [None] * len(values))
        assert _difference_of_any(said, values[: len(said)]) == 0.0, row
    shares = row.get("probabilities")
    if shares is not None:
        by_text = {str(other): share for other, share in shares.items()}
        assert _difference(row["first"], by_text[str(signature.labels[0])]) == 0.0, row
        if len(values) > 1:
            ranked = [(one.label, one.prob) for one in values[1]]
            assert sorted(ranked, key=repr) == sorted(shares.items(), key=repr), row
            numbers = [number for _, number in ranked if not math.isnan(number)]
            assert numbers == sorted(numbers, reverse=True), row
    elif "probabilities" in row:
        assert row["first"] is None, row


def _difference_of_any(expected: tuple[Any, ...], actual: tuple[Any, ...]) -> float:
    floats = all(isinstance(one, float) for one in (*expected, *actual))
    return _difference(expected, actual) if floats else float(expected != actual)


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
