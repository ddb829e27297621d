"""The same SQL through every door, with the same answers: golden/*.sql, see `helpers.doors.golden`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers.doors.checking import FILES, check
from helpers.doors.in_process import InProcess

if TYPE_CHECKING:
    from helpers.doors.opening import Doors
    from pyspark.sql import SparkSession


# Eighteen trainings, nine of them MLlib's; and MLlib's trials. tests/spark/training/ trains the same.
_LONG = ("estimators", "mllib_options", "tuning")
# Answers of every type, and errors. A door can change how a text is sent and how an answer looks, but not what a
# training results in: the other files run through PySpark, and at every door in `make test-all`.
_OF_EVERY_TYPE = (*("bad_input", "enrich_table", "explain", "predict", "predict_outputs", "predict_proba", "stock"),)
# PyHive is another client of the Thrift server, which beeline has asked everything.
_OFTEN = {
    "spark-sql": _OF_EVERY_TYPE,
    "beeline": _OF_EVERY_TYPE,
    "pyhive": ("bad_input", "predict"),
    "connect": _OF_EVERY_TYPE,
}
# What they score is compiled by default, and the same without that.
_SCORING = ("predict", "predict_places", "predict_proba", "transform")


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=path.stem, marks=[pytest.mark.nightly] if path.stem in _LONG else []) for path in FILES],
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


def _doors() -> list[Any]:
    """Every door with every file; `make test` takes the files of `_OFTEN`."""
    found = []
    for door, often in _OFTEN.items():
        for path in FILES:
            marks = [] if path.stem in often else [pytest.mark.nightly]
            found.append(pytest.param(door, path, id=f"{door}-{path.stem}", marks=marks))
    return found


@pytest.mark.doors
@pytest.mark.parametrize(("door", "path"), _doors())
def test_door(door: str, path: Path, doors: Doors) -> None:
    check(doors.open(door), path)
