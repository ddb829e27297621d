"""Clients of older lines of Spark at the servers of the installed one: PySpark's Connect client, and beeline."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.doors.beeline import Beeline
from helpers.doors.checking import FILES, check
from helpers.doors.connect import ClientProcess
from helpers.doors.opening import Doors
from helpers.environments import library

pytestmark = [pytest.mark.doors, pytest.mark.nightly]

_VERSIONS = ("4.0.5", "4.1.4")
_FILES = [path for path in FILES if path.stem in ("bad_input", "predict", "predict_proba", "train_model")]


@pytest.mark.parametrize("version", _VERSIONS)
@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
def test_connect(version: str, path: Path, doors: Doors) -> None:
    home = library(f"pyspark=={version}") / "pyspark"
    client = ClientProcess("connect", f"sc://127.0.0.1:{doors.connect.port}", doors.connect.folder, home=home)
    try:
        check(client, path)
    finally:
        client.close()


@pytest.mark.parametrize("version", _VERSIONS)
@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
def test_beeline(version: str, path: Path, doors: Doors) -> None:
    home = library(f"pyspark=={version}") / "pyspark"
    check(Beeline(doors.thrift.port, doors.thrift.folder, home=home), path)
