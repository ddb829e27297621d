"""Models compiled into the query: every estimator, on hard rows, against ONNX Runtime in the same session."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from engine_pairs import compare
from sql_engines import FIXTURES
from test_compiler_coverage import _PAIRS, _fit, _job, _splits, _table, _targets
from test_compiler_engines import _FLOAT32, fixture

from sqlml.estimators import Estimator, sklearn_check

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

# They sort the numbers of a row, or look at so many training rows that ONNX Runtime is faster.
_NOT_COMPILED = (
    ("mllib.gaussian_mixture", "clustering"),
    ("sklearn.ada_boost", "regression"),
    ("sklearn.k_neighbors", "classification"),
    ("sklearn.k_neighbors", "regression"),
    ("sklearn.local_outlier_factor", "anomaly_detection"),
    ("sklearn.one_class_svm", "anomaly_detection"),
)


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
        rows = sklearn_check.rows(_table(), fitted.signature.features, {"x": _splits(fitted.onnx)}, inside=row.noisy)
        compiled = compare(spark, registry_folder, fitted, rows, tmp_path)
        assert compiled == ((row.name, task) not in _NOT_COMPILED), f"{row.name}, {task}: compiled is {compiled}"
