"""sqlml.predict: a DataFrame and a model, in this process and over Spark Connect."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from pyspark.errors import AnalysisException

import sqlml
from sqlml.errors import SqlmlError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from helpers.doors.opening import Doors
    from pyspark.sql import SparkSession

_TRAIN = (
    "TRAIN MODEL {} USING sklearn.decision_tree TARGET odd OPTIONS (test_fraction = 0)"
    " AS SELECT id % 2 AS m, id % 2 = 1 AS odd FROM range(40)"
)


@pytest.fixture(scope="module")
def model(spark: SparkSession) -> Iterator[str]:
    spark.sql(_TRAIN.format("frame_parity"))
    yield "frame_parity"
    spark.sql("DROP MODEL frame_parity")


def test_the_same_as_the_table_form(spark: SparkSession, model: str) -> None:
    frame = spark.range(5).selectExpr("id", "id % 2 AS m")
    given = sqlml.predict(frame, model)
    assert given.columns == ["id", "m", "predicted_odd", "predicted_odd_probs"]
    rows = given.orderBy("id").collect()
    assert [row.predicted_odd for row in rows] == [False, True, False, True, False]
    assert [(pair.label, pair.prob) for pair in rows[1].predicted_odd_probs] == [(True, 1.0), (False, 0.0)]
    frame.createOrReplaceTempView("frame_rows")
    in_sql = spark.sql("SELECT * FROM PREDICT('frame_parity', TABLE(frame_rows)) ORDER BY id")
    assert in_sql.collect() == rows and in_sql.schema == given.schema


def test_columns_threshold_and_versions(spark: SparkSession, model: str) -> None:
    frame = spark.range(2).selectExpr("id % 2 AS m")
    scored = sqlml.predict(frame, f"{model}/1", columns={"score": "double", "label": "string"}).orderBy("m")
    assert scored.columns == ["m", "score", "label"]
    assert [tuple(row) for row in scored.collect()] == [(0, 0.0, "false"), (1, 1.0, "true")]
    never = sqlml.predict(frame, model, threshold=1.0)
    assert [row.predicted_odd for row in never.collect()] == [False, False]


def test_errors(spark: SparkSession, model: str) -> None:
    frame = spark.range(2).selectExpr("id % 2 AS m")
    with pytest.raises(AnalysisException, match="There is no model frame_party"):
        sqlml.predict(frame, "frame_party")
    with pytest.raises(AnalysisException, match=re.escape("has no output {scor}")):
        sqlml.predict(frame, model, columns={"{scor}": "double", "label": "string"})
    with pytest.raises(SqlmlError, match="is not a valid model name"):
        sqlml.predict(frame, "a'b")
    with pytest.raises(ValueError, match="threshold"):
        sqlml.predict(frame, model, columns={"score": "double"}, threshold=0.5)


_CLIENT = """
import sys
from pyspark.sql import SparkSession
import sqlml
spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
spark.sql(sys.argv[2])
frame = sqlml.predict(spark.range(3).selectExpr("id % 2 AS m", "id"), "connect_parity")
print(frame.columns, [row.predicted_odd for row in frame.orderBy("id").collect()])
scored = sqlml.predict(spark.range(3).selectExpr("id % 2 AS m", "id"), "connect_parity", columns={"score": "float"})
print([row.score for row in scored.orderBy("id").collect()])
spark.sql("DROP MODEL connect_parity")
"""


@pytest.mark.doors
def test_over_connect(doors: Doors) -> None:
    address = f"sc://127.0.0.1:{doors.connect.port}"
    command = [sys.executable, "-c", _CLIENT, address, _TRAIN.format("connect_parity")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == [
        "['m', 'id', 'predicted_odd', 'predicted_odd_probs'] [False, True, False]",
        "[0.0, 1.0, 0.0]",
    ]
