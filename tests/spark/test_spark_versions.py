"""sqlml on other versions of Spark than that of the tests.

The jar is compiled against one version and must run on all. Spark 4.1 is a line of the first tier: it has Delta Lake
and Iceberg, and clouds run it. See also `make test-spark`.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from helpers import table_formats
from helpers.environments import library
from helpers.folders import ROOT

pytestmark = pytest.mark.slow

_OBJECTS = (
    "tests/spark/test_parameters.py",
    "tests/spark/test_persistent_objects.py",
    "tests/cli/test_demo.py::test_script_in_a_session",
)
# Before Spark 4.2 a filter on one output of a model and the columns with others are one operator, so that this file's
# EXPLAIN lists a call more. Each row is scored once all the same.
_GOLDEN = (
    "tests/doors/test_golden.py::test_pyspark",
    "--deselect=tests/doors/test_golden.py::test_pyspark[predict_outputs]",
)
_OPTIMIZER = ("tests/spark/optimizer",)
# Of them those whose plans Spark's own rules change again.
_SHARED_CALLS = tuple(
    f"tests/spark/optimizer/test_{name}.py" for name in ("column_pruning", "filters_and_limits", "share_model_outputs")
)
_SCORING = tuple(
    f"tests/doors/test_golden.py::test_pyspark[{name}]" for name in ("predict", "train_model", "predict_proba")
)
_FORMATS = ("tests/spark/test_table_formats.py",)


def _case(version: str, what: str, tests: tuple[str, ...], *, nightly: bool = True) -> object:
    marks = [pytest.mark.nightly] if nightly else []
    return pytest.param(version, tests, id=f"{version}-{what}", marks=marks)


# The newest patch of each line beside the one that is installed.
_CASES = (
    _case("4.0.5", "scoring", _SCORING, nightly=False),
    _case("4.0.5", "objects", _OBJECTS),
    _case("4.0.5", "formats", _FORMATS),
    _case("4.1.4", "objects", _OBJECTS, nightly=False),
    _case("4.1.4", "golden", _GOLDEN, nightly=False),
    _case("4.1.4", "shared-calls", _SHARED_CALLS, nightly=False),
    _case("4.1.4", "optimizer", _OPTIMIZER),
    _case("4.1.4", "formats", _FORMATS, nightly=False),
    _case("4.2.1", "objects", _OBJECTS),
    _case("4.2.1", "golden", _GOLDEN),
    _case("4.2.1", "formats", _FORMATS),
)
_OPTIONS = ("-q", "-m", "not nightly", "-p", "no:cacheprovider", "-p", "no:cov", "-p", "no:xdist")


@pytest.mark.parametrize(("version", "tests"), _CASES)
def test_on(version: str, tests: tuple[str, ...]) -> None:
    """In one process with one JVM, whose pyspark is found before the installed one."""
    folder = library(f"pyspark=={version}")
    environment = {**os.environ, "PYTHONPATH": str(folder), "COVERAGE_PROCESS_START": ""}
    if tests == _FORMATS:
        environment[table_formats.ASKED] = "1"
    asked = subprocess.run(
        [sys.executable, "-c", "import pyspark; print(pyspark.__version__)"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert asked.stdout.strip() == version
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *_OPTIONS, "-o", "addopts=--import-mode=importlib", *tests],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=1800,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout
