"""sqlml on other versions of Spark than that of the tests.

The jar is compiled against one version and must run on all. Spark 4.1 is a line of the first tier: it has Delta Lake
and Iceberg, and clouds run it. `make test-spark` runs more, and writes what it found into the manual.
"""

from __future__ import annotations

import pytest
from helpers import spark_matrix
from helpers.spark_matrix import COLUMNS, Outcome

pytestmark = pytest.mark.slow

_SCORING = ("tests/doors/test_golden.py::test_pyspark[predict]",)
# Of the optimizer's tests those whose plans Spark's own rules change again.
_SHARED_CALLS = (
    "tests/spark/optimizer/test_column_pruning.py",
    "tests/spark/optimizer/test_filters_above_predictions.py",
    "tests/spark/optimizer/test_filters_and_limits.py",
    "tests/spark/optimizer/test_share_model_outputs.py",
)


def _passes(found: Outcome) -> None:
    assert not found.failed, found.text[-6000:]
    assert found.passed


# The newest patch of each line beside the one that is installed.
_ALWAYS = {"4.1.4": ("pyspark",)}
_NIGHTLY = {
    "4.0.5": ("demo", "objects", "optimizer", "delta"),
    "4.1.4": ("demo", "objects", "optimizer", "formats", "delta", "iceberg", "connect", "thrift", "streaming", "comet"),
    "4.2.1": ("demo", "objects", "pyspark", "delta"),
}


@pytest.mark.parametrize(
    ("version", "column"),
    [
        *((version, column) for version, columns in _ALWAYS.items() for column in columns),
        *(
            pytest.param(version, column, marks=pytest.mark.nightly)
            for version, columns in _NIGHTLY.items()
            for column in columns
        ),
    ],
)
def test_on(version: str, column: str) -> None:
    """In one process with one JVM, whose pyspark is found before the installed one."""
    what = COLUMNS[column]
    _passes(spark_matrix.run(version, what.tests, asks=what.asks))


@pytest.mark.parametrize(("version", "tests"), [("4.0.5", _SCORING), ("4.1.4", _SHARED_CALLS)], ids=["4.0.5", "4.1.4"])
def test_some_on(version: str, tests: tuple[str, ...]) -> None:
    _passes(spark_matrix.run(version, tests))
