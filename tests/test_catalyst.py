"""Models compiled into the query: every estimator, on hard rows, against ONNX Runtime in the same session."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from engine_pairs import compare
from test_compiler_coverage import _PAIRS, _case, _fit, _job, _splits, _table, _targets

from sqlml.estimators import Estimator, sklearn_check

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


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
        print(row.name, task, compare(spark, registry_folder, fitted, rows, tmp_path))
