"""sqlml on other versions of Spark than that of the tests.

The jar is compiled against one version and must run on all. Spark 4.1 is a line of the first tier: it has Delta Lake
and Iceberg, and clouds run it. `make test-spark` runs more, and writes what it found into the manual.
"""

from __future__ import annotations

import pytest
from helpers import spark_matrix
from helpers.spark_matrix import COLUMNS, Outcome

pytestmark = pytest.mark.slow

_SCORING = tuple(
    f"tests/doors/test_golden.py::test_pyspark[{name}]" for name in ("predict", "train_model", "predict_proba")
)
# Of the optimizer's tests those whose plans Spark's own rules change again.
_SHARED_CALLS = tuple(
    f"tests/spark/optimizer/test_{name}.py" for name in ("column_pruning", "filters_and_limits", "share_model_outputs")
)


def _passes(found: Outcome) -> None:
    assert not found.failed, found.text[-6000:]
    assert found.passed


# The newest patch of each line beside the one that is installed.
@pytest.mark.parametrize(
    ("version", "column"),
    [
        *(("4.1.4", column) for column in ("demo", "objects", "pyspark", "delta", "iceberg")),
        *(pytest.param("4.1.4", column, marks=pytest.mark.nightly) for column in ("optimizer", "connect", "thrift")),
        *(pytest.param("4.0.5", column, marks=pytest.mark.nightly) for column in ("demo", "objects", "delta")),
        *(pytest.param("4.2.1", column, marks=pytest.mark.nightly) for column in ("demo", "objects", "delta")),
    ],
)
def test_on(version: str, column: str) -> None:
    """In one process with one JVM, whose pyspark is found before the installed one."""
    what = COLUMNS[column]
    _passes(spark_matrix.run(version, what.tests, formats=what.formats))


@pytest.mark.parametrize(("version", "tests"), [("4.0.5", _SCORING), ("4.1.4", _SHARED_CALLS)], ids=["4.0.5", "4.1.4"])
def test_some_on(version: str, tests: tuple[str, ...]) -> None:
    _passes(spark_matrix.run(version, tests))
