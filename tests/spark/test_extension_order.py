"""sqlml beside other plugins that wrap Spark's parser, in every order of `spark.sql.extensions`.

Spark 4.1 is the line with releases of both Delta Lake and Iceberg. Each order needs a JVM of its own.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import table_formats
from helpers.doors.settings import session_settings
from helpers.environments import library

from sqlml.spark.launch import EXTENSIONS

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

_SPARK = "4.1.4"
_DELTA = "io.delta.sql.DeltaSparkSessionExtension"
_ICEBERG = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
_SHORT = {EXTENSIONS: "sqlml", _DELTA: "delta", _ICEBERG: "iceberg"}
# Statements that the one parser alone understands, and calls that sqlml's has to find inside those of the others.
_STATEMENTS = (
    "TRAIN MODEL line USING linear_regression TARGET y AS SELECT id AS x, 2.0D * id AS y FROM range(40)",
    "CREATE TABLE lake (x BIGINT, y DOUBLE) USING delta",
    "INSERT INTO lake SELECT id, PREDICT(line, id) FROM range(3)",
    "OPTIMIZE lake ZORDER BY (x)",
    "UPDATE lake SET y = PREDICT(line, x + 1) WHERE x = 2",
    "CREATE SCHEMA ice.s",
    "CREATE TABLE ice.s.berg (x BIGINT, y DOUBLE) USING iceberg",
    "INSERT INTO ice.s.berg SELECT x, PREDICT(line, *) FROM lake",
    "ALTER TABLE ice.s.berg CREATE BRANCH side",
    "ALTER TABLE ice.s.berg WRITE ORDERED BY x",
)
_PROGRAM = """
import json, sys
import pyspark, sqlml
from pyspark.sql import SparkSession

settings, statements = json.loads(sys.argv[1])
builder = SparkSession.builder
for key, value in settings.items():
    builder = builder.config(key, value)
spark = sqlml.configure(builder).getOrCreate()
print("SPARK", pyspark.__version__, spark.conf.get("spark.sql.extensions"))
for statement in statements:
    spark.sql(statement).collect()
for table in ("lake", "ice.s.berg"):
    rows = spark.sql(f"SELECT x, round(y, 6) AS y, round(PREDICT(line, x), 6) AS z FROM {table} ORDER BY x").collect()
    print("ROWS", json.dumps([list(row) for row in rows]))
"""


@pytest.mark.parametrize(
    "order", itertools.permutations(_SHORT), ids=lambda order: "-".join(_SHORT[name] for name in order)
)
def test_every_order(order: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(table_formats.ASKED, "1")
    settings = session_settings(tmp_path, tmp_path) | table_formats.session_settings(tmp_path, _SPARK)
    settings["spark.sql.extensions"] = ",".join(order)
    environment = {**os.environ, "PYTHONPATH": str(library(f"pyspark=={_SPARK}")), "COVERAGE_PROCESS_START": ""}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, json.dumps([settings, _STATEMENTS])],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    spark, *rows = [line for line in done.stdout.splitlines() if line.startswith(("SPARK", "ROWS"))]
    assert spark == f"SPARK {_SPARK} {','.join(order)}"
    assert [json.loads(line.removeprefix("ROWS ")) for line in rows] == [
        [[0, 0.0, 0.0], [1, 2.0, 2.0], [2, 6.0, 4.0]],
        [[0, 0.0, 0.0], [1, 2.0, 2.0], [2, 4.0, 4.0]],
    ]
