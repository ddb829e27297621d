"""A jar and a Python package of two versions: each door refuses them at its first statement, and names both."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from helpers.doors.settings import launch_settings, session_settings
from helpers.doors.shell import Shell

import sqlml
from sqlml.spark import launch

pytestmark = [pytest.mark.slow, pytest.mark.doors]

_PROGRAM = """
import sqlml
from pyspark.sql import SparkSession

builder = SparkSession.builder
for key, value in {settings!r}.items():
    builder = builder.config(key, value)
try:
    sqlml.configure(builder).getOrCreate()
    print("STARTED")
except sqlml.errors.SqlmlError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The jar as an earlier release would have it."""
    path = tmp_path_factory.mktemp("older") / "sqlml-0.0.7.jar"
    with zipfile.ZipFile(launch.jar()) as own, zipfile.ZipFile(path, "w") as made:
        for entry in own.infolist():
            content = own.read(entry)
            if entry.filename == "META-INF/MANIFEST.MF":
                changed = content.replace(sqlml.__version__.encode(), b"0.0.7")
                assert changed != content
                content = changed
            made.writestr(entry.filename, content)
    return path


def _names_both(text: str, jar: Path) -> bool:
    words = ("SQLML_ENGINE_FAILED", f"version 0.0.7 ({jar})", f"version {sqlml.__version__} (", "sqlml conf")
    return all(word in text for word in words)


def test_pyspark(older: Path, tmp_path: Path) -> None:
    """An older jar in the user's own settings stands before the package's on the class path."""
    settings = session_settings(tmp_path, tmp_path, "local[1]") | {
        "spark.jars": str(older), "spark.driver.extraClassPath": str(older)
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(settings=settings)], capture_output=True, text=True, timeout=180
    )
    assert _names_both(done.stdout, older), done.stdout + done.stderr[-2000:]
    assert "STARTED" not in done.stdout


def test_spark_sql(older: Path, tmp_path: Path) -> None:
    """The shell's JVM has the older jar, and the Python that it starts has the package."""
    settings = launch_settings(tmp_path, tmp_path, "local[1]") | {
        "spark.jars": str(older), "spark.driver.extraClassPath": str(older)
    }  # fmt: skip
    shell = Shell(settings, tmp_path)
    try:
        plain, refused = shell.run(["SELECT 1 AS one", "SHOW MODELS"])
    finally:
        shell.close()
    assert plain.failure is None and plain.rows == (("1",),)
    assert refused.failure is not None and _names_both(refused.raw, older), refused
