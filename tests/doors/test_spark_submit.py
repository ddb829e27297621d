"""`spark-submit` of a Python program, as on a cluster: with the flags of `sqlml conf`, and without."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from helpers.doors.settings import session_settings

pytestmark = [pytest.mark.slow, pytest.mark.doors]

_PROGRAM = """
import sqlml
from pyspark.sql import SparkSession

spark = sqlml.configure(SparkSession.builder).getOrCreate()
spark.sql("TRAIN MODEL line USING linear_regression TARGET y AS SELECT id AS x, 2.0D * id AS y FROM range(40)")
print("ANSWER", spark.sql("SELECT PREDICT(line, 21)").first()[0])
"""


def _submitted(tmp_path: Path, flags: list[str]) -> subprocess.CompletedProcess[str]:
    program = tmp_path / "job.py"
    program.write_text(_PROGRAM, encoding="utf-8")
    settings = [f"--conf={key}={value}" for key, value in session_settings(tmp_path, tmp_path, "local[1]").items()]
    command = [Path(sys.executable).with_name("spark-submit"), *flags, *settings, program]
    return subprocess.run(command, capture_output=True, text=True, timeout=180)


def test_with_the_flags(tmp_path: Path) -> None:
    shown = subprocess.run(
        [Path(sys.executable).with_name("sqlml"), "conf"], capture_output=True, text=True, check=True
    ).stdout.split()
    done = _submitted(tmp_path, shown)
    assert "ANSWER 42.0" in done.stdout, done.stderr[-2000:]


def test_without_them_the_error_has_the_command(tmp_path: Path) -> None:
    done = _submitted(tmp_path, [])
    assert done.returncode != 0
    # spark-submit writes what Python says on stderr to its own stdout.
    assert "spark-submit $(sqlml conf)" in done.stdout
