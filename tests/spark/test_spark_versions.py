"""sqlml on other versions of Spark than that of the tests: the demonstration's SQL, and objects that stay.

The jar is compiled against one version and must run on all; see also `make test-spark`.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from helpers.environments import library
from helpers.folders import ROOT

pytestmark = pytest.mark.slow

# The newest patch of each line beside the one that is installed; `make test` takes the one that clouds run most.
_VERSIONS = (
    "4.1.4",
    pytest.param("4.0.5", marks=pytest.mark.nightly),
    pytest.param("4.2.1", marks=pytest.mark.nightly),
)
_TESTS = (
    "tests/spark/test_parameters.py",
    "tests/spark/test_persistent_objects.py",
    "tests/cli/test_demo.py::test_script_in_a_session",
)


@pytest.mark.parametrize("version", _VERSIONS)
def test_the_demo_and_what_stays(version: str) -> None:
    """In one process with one JVM, whose pyspark is found before the installed one."""
    folder = library(f"pyspark=={version}")
    environment = {**os.environ, "PYTHONPATH": str(folder), "COVERAGE_PROCESS_START": ""}
    asked = subprocess.run(
        [sys.executable, "-c", "import pyspark; print(pyspark.__version__)"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert asked.stdout.strip() == version
    options = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:cov",
        "-p",
        "no:xdist",
        "-o",
        "addopts=--import-mode=importlib",
    ]
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *_TESTS],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert tests.returncode == 0, tests.stdout[-6000:]
