"""Models compiled into the query: every estimator, on hard rows, against ONNX Runtime in the same session."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers.compiler_fixtures import FLOAT32 as _FLOAT32
from helpers.compiler_fixtures import fixture
from helpers.engine_pairs import compare
from helpers.every_estimator import PAIRS as _PAIRS
from helpers.every_estimator import first_splits as _splits
from helpers.every_estimator import fit as _fit
from helpers.every_estimator import job_of as _job
from helpers.every_estimator import mixed_table as _table
from helpers.every_estimator import published_as_compiled
from helpers.every_estimator import targets_of as _targets
from helpers.sql_engines import FIXTURES

from sqlml.estimators import Estimator
from sqlml.estimators.sklearn import check

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.mark.slow
@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_the_fixtures(spark: SparkSession, registry_folder: Path, tmp_path: Path, path: Path) -> None:
    """Graphs made elsewhere too, whose operators sqlml's exporters do not write."""
    model, rows = fixture(path)
    tolerance = 1e-6 if path.stem in _FLOAT32 else 1e-9
    assert compare(spark, registry_folder, model, rows, tmp_path, tolerance=tolerance)


# One of each kind of graph is asked in every run.
_KINDS = ("lightgbm", "sklearn.logistic_regression", "sklearn.random_forest", "xgboost")


def test_auto_takes_what_costs_less(spark: SparkSession) -> None:
    """Whatever was asked for before, in this session or another one."""
    session = spark.newSession()
    session.sql("SELECT sin(id) AS a, sin(2 * id) AS b, sin(3 * id) AS y FROM range(200)").createTempView("waves")
    models = {
        "straight": "sklearn.linear_regression TARGET y",
        "curved": "sklearn.neural_network TARGET y OPTIONS (hidden_layer_sizes = [40, 40], max_iter = 5)",
    }
    for model, used in models.items():
        session.sql(f"TRAIN MODEL {model} USING {used} AS SELECT * FROM waves")
    try:
        for setting, straight, curved in (
            ("auto", "compiled", "onnxruntime"),
            ("compiled", "compiled", "compiled"),
            ("auto", "compiled", "onnxruntime"),
            ("onnxruntime", "onnxruntime", "onnxruntime"),
            (None, "compiled", "onnxruntime"),
        ):
            if setting is None:
                session.conf.unset("spark.sqlml.engine")
            else:
                session.conf.set("spark.sqlml.engine", setting)
            plan = session.sql("EXPLAIN SELECT PREDICT(straight, *), PREDICT(curved, *) FROM waves").collect()[0][0]
            assert f"predict[straight/1 {straight}]" in plan, setting
            assert f"predict[curved/1 {curved}]" in plan, setting
    finally:
        for model in models:
            session.sql(f"DROP MODEL {model}")


def _case(row: Estimator, task: str) -> Any:
    mark = pytest.mark.slow if row.name in _KINDS else pytest.mark.nightly
    return pytest.param(row, task, id=f"{row.name}-{task}", marks=mark)


@pytest.mark.parametrize(("row", "task"), [_case(*pair) for pair in _PAIRS])
def test_every_estimator(
    request: pytest.FixtureRequest,
    spark: SparkSession,
    registry_folder: Path,
    tmp_path: Path,
    row: Estimator,
    task: str,
) -> None:
    for target in _targets(row, task):
        fitted = _fit(_job(row, task, target), row, request)
        rows = check.rows(_table(), fitted.signature.features, {"x": _splits(fitted.onnx)}, inside=row.noisy)
        compiled = compare(spark, registry_folder, fitted, rows, tmp_path)
        assert compiled == published_as_compiled(row, task), f"{row.name}, {task}: compiled is {compiled}"
