"""The same SQL through every door, with the same answers: golden/*.sql, see `doors.golden`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from doors.checking import FILES, check
from doors.in_process import InProcess

if TYPE_CHECKING:
    from doors.opening import Doors
    from pyspark.sql import SparkSession


# Eighteen trainings, nine of them MLlib's; and MLlib's trials.
_LONG = ("estimators", "mllib_options")
# What they score is compiled by default, and the same without that.
_SCORING = ("predict", "predict_places", "predict_proba", "transform")


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem in _LONG else []) for path in FILES],
)
def test_pyspark(
    path: Path, spark: SparkSession, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where relative paths of EXPORT and IMPORT start; a door of its own has a folder of its own.
    monkeypatch.chdir(tmp_path)
    check(InProcess(spark), path, update=request.config.getoption("--update-golden"))


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in FILES if path.stem in _SCORING], ids=lambda path: path.stem)
def test_pyspark_by_onnxruntime(
    path: Path, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check(InProcess(spark, {"spark.sqlml.engine": "onnxruntime"}), path)


@pytest.mark.doors
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("door", ["spark-sql", "beeline", "pyhive", "connect"])
def test_door(door: str, path: Path, doors: Doors) -> None:
    check(doors.open(door), path)
