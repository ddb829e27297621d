"""Executors whose Python has pyarrow and ONNX Runtime, or less, and no sqlml: what runs there comes with the query."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.doors.settings import session_settings
from helpers.environments import packages

pytestmark = [pytest.mark.slow, pytest.mark.doors]

# Executors of the same machine, in processes of their own and with a Python of their own.
_PROGRAM = """
import sys
import sqlml
from pyspark.sql import SparkSession

settings = {settings!r}
builder = SparkSession.builder
for key, value in settings.items():
    builder = builder.config(key, value)
spark = sqlml.configure(builder).getOrCreate()
spark.sparkContext.setLogLevel("OFF")

def seen(rows):
    import importlib.util
    list(rows)
    return [(sys.executable, importlib.util.find_spec("sqlml") is not None)]

print("EXECUTOR", *spark.sparkContext.range(0, 2, numSlices=1).mapPartitions(seen).collect()[0])
spark.sql(
    "TRAIN MODEL near USING k_neighbors TARGET y AS SELECT id AS a, 'x' || id % 3 AS t, 3.0D * id AS y FROM range(200)"
)
spark.sql("TRAIN MODEL sure USING k_neighbors TARGET y AS SELECT id AS a, id > 50 AS y FROM range(200)")
spark.sql("TRAIN MODEL line USING linear_regression TARGET y AS SELECT id AS a, 3.0D * id AS y FROM range(200)")
for query in (
    "SELECT sum(PREDICT(line, id)) FROM range(200)",
    "SELECT round(sum(PREDICT(near, id, 'x' || id % 3)), 6) FROM range(200)",
    "SELECT sum(PREDICT_PROBA(sure, id)[true]) FROM range(200)",
    "SELECT count_if(predicted_y) FROM PREDICT(sure, TABLE(SELECT id AS a FROM range(200)))",
):
    try:
        print("ROWS", query, "->", spark.sql(query).collect()[0][0])
    except Exception as error:
        print("FAILED", query, "->", *[line for line in str(error).splitlines() if "SQLML_" in line])
try:
    spark.sql("TRAIN MODEL far USING xgboost.spark TARGET y AS SELECT id AS a, 3.0D * id AS y FROM range(200)")
    print("TRAINED")
except Exception as error:
    print("REFUSED", *[line for line in str(error).splitlines() if "SQLML_" in line][-1:])
print("DRIVER", sys.executable)
"""


def _run(tmp_path: Path, python: Path, master: str = "local-cluster[1,1,1024]") -> list[str]:
    settings = {**session_settings(tmp_path, tmp_path, master), "spark.pyspark.python": str(python)}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(settings=settings)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def test_without_sqlml(tmp_path: Path) -> None:
    python = packages("executor", ["pyarrow", "onnxruntime", "pandas<3"])
    found = _run(tmp_path, python)
    assert f"EXECUTOR {python} False" in found
    local = _run(tmp_path / "local", Path(sys.executable), "local[1]")
    rows = [line for line in found if line.startswith("ROWS")]
    assert len(rows) == 4, found
    # XGBoost's workers run on the executors, so these need it, and are asked before a row is read.
    (refused,) = [line for line in found if line.startswith("REFUSED")]
    assert "[SQLML_MISSING_PACKAGE]" in refused and "xgboost" in refused and str(python) in refused
    assert "TRAINED" in local
    assert rows == [line for line in local if line.startswith("ROWS")]


@pytest.mark.nightly
def test_without_onnxruntime(tmp_path: Path) -> None:
    python = packages("poor-executor", ["pyarrow", "pandas<3"])
    found = _run(tmp_path, python)
    assert sum(line.startswith("ROWS") for line in found) == 1, found
    failed = [line for line in found if line.startswith("FAILED")]
    assert len(failed) == 3
    assert all("[SQLML_MISSING_PACKAGE]" in line and str(python) in line and "--archives" in line for line in failed)
    # Spark tries a task four times, maybe on another executor, and the user reads the reason once.
    assert [line.count("SQLML_MISSING_PACKAGE") for line in failed] == [1, 1, 1]
    assert all(f" on {socket.gethostname()}." in line and "spark.pyspark.python" in line for line in failed)
