"""Filters on predictions of ONNX Runtime stay above them, and nothing else is lost by that.

Spark 4.2 and later do so by themselves; before, it is a rule of sqlml. tests/spark/test_spark_versions.py runs this
file on Spark 4.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_MADE = "SELECT id, rand(1) AS a, rand(2) AS b, id % 10 AS day, 3 * rand(1) + rand(2) AS y FROM range(1000)"


@pytest.fixture(scope="module")
def rows(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """1000 rows in ten partitions, and a model of y."""
    folder: Path = tmp_path_factory.mktemp("above") / "rows"
    spark.sql(_MADE).write.partitionBy("day").parquet(str(folder))
    name = f"parquet.`{folder}`"
    spark.sql(f"TRAIN MODEL filtered USING sklearn.decision_tree TARGET y FEATURES (a, b) AS SELECT * FROM {name}")
    spark.conf.set("spark.sqlml.engine", "onnxruntime")
    yield name
    spark.conf.unset("spark.sqlml.engine")
    spark.sql("DROP MODEL filtered")


def _plan(frame: DataFrame) -> str:
    text = str(frame._jdf.queryExecution().executedPlan().toString())
    return text.split("== Initial Plan ==")[0]


def test_a_call_inside_of_a_call_is_made_once(spark: SparkSession, rows: str) -> None:
    outer = "PREDICT(filtered, a => PREDICT(filtered, *), b => b)"
    frame = spark.sql(f"SELECT * FROM (SELECT id, {outer} AS p, {outer} AS q FROM {rows}) WHERE p > 2")
    found = frame.collect()
    assert found and all(row.p == row.q for row in found)
    evaluated = re.findall(r"ArrowEvalPython \[(.*?)\], \[", _plan(frame))
    assert sum(one.count("predict[") for one in evaluated) <= 2


def test_a_subquery_with_a_prediction_leaves_the_outer_filter_as_it_was(spark: SparkSession, rows: str) -> None:
    """The cheap condition still comes first: rows from 500 on cannot be scored."""
    careful = "PREDICT(filtered, a => a / IF(id < 500, 1, 0), b => b)"
    bound = f"SELECT 100 * max(p) FROM (SELECT PREDICT(filtered, *) AS p FROM {rows}) WHERE p > 1"
    found = spark.sql(f"SELECT id FROM {rows} WHERE id < ({bound}) AND {careful} > 1").collect()
    assert 0 < len(found) < 500


def test_partitions_are_pruned_by_the_other_side_of_a_join(spark: SparkSession, rows: str) -> None:
    spark.conf.set("spark.sql.optimizer.dynamicPartitionPruning.reuseBroadcastOnly", "false")
    try:
        frame = spark.sql(
            f"SELECT f.id, f.p FROM (SELECT *, PREDICT(filtered, *) AS p FROM {rows}) AS f"
            " JOIN (SELECT id AS day, id * 2 AS other FROM range(10)) AS d ON f.day = d.day"
            " WHERE d.other = 6 AND f.p > 1"
        )
        found = frame.collect()
        assert found and all(row.id % 10 == 3 for row in found)
        assert "dynamicpruning" in _plan(frame)
    finally:
        spark.conf.unset("spark.sql.optimizer.dynamicPartitionPruning.reuseBroadcastOnly")
