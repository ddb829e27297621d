"""Delta Lake and Iceberg: every statement over their tables, versions of tables, and the optimizer over their scans.

tests/spark/test_spark_versions.py runs these two in processes of their own, on the lines of Spark that have them. What
Spark has itself, Parquet, ORC, JSON and CSV, is tested here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from helpers import table_formats
from helpers.doors.checking import check
from helpers.doors.in_process import InProcess
from helpers.folders import FIXTURES

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow

_OF_OTHERS = ["delta", "iceberg"]


def _format(name: str) -> str:
    if name in _OF_OTHERS and not os.environ.get(table_formats.ASKED):
        pytest.skip("needs jars: run by tests/spark/test_spark_versions.py")
    if name == "iceberg" and table_formats.release().iceberg is None:
        pytest.skip("Iceberg has no release for this line of Spark")
    return name


@pytest.mark.parametrize("name", _OF_OTHERS)
def test_every_statement(name: str, spark: SparkSession, request: pytest.FixtureRequest) -> None:
    path = FIXTURES / "table_formats" / f"{_format(name)}.sql"
    check(InProcess(spark), path, update=request.config.getoption("--update-golden"))


@pytest.fixture
def table(request: pytest.FixtureRequest, spark: SparkSession) -> Iterator[str]:
    """A table of a format with 100 rows, in a schema of its own."""
    name = _format(request.param)
    schema = "ice.pinned" if name == "iceberg" else "pinned"
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    spark.sql(f"CREATE TABLE {schema}.t (id BIGINT, a INT, b DOUBLE, y DOUBLE) USING {name}")
    spark.sql(f"INSERT INTO {schema}.t SELECT id, CAST(id % 9 AS INT), id / 7D, id % 9 * 2 + id / 7D FROM range(100)")
    yield f"{schema}.t"
    spark.sql(f"DROP TABLE {schema}.t")
    spark.sql(f"DROP SCHEMA {schema}")


@pytest.mark.parametrize("table", _OF_OTHERS, indirect=True)
def test_a_pinned_statement_trains_the_same_model(table: str, spark: SparkSession) -> None:
    """After the table has changed, the statement of WITH VERSIONS gives the same graph; the plain one does not."""
    spark.sql(f"TRAIN MODEL pinned.m USING decision_tree TARGET y AS WITH c AS (SELECT * FROM {table} AS t) TABLE c")
    spark.sql(f"INSERT INTO {table} SELECT id, 5, 0.5D, 77D FROM range(300)")
    spark.sql(f"DELETE FROM {table} WHERE id < 20")
    pinned, plain = (spark.sql(f"SHOW CREATE MODEL pinned.m{rest}").collect()[0][0] for rest in (" WITH VERSIONS", ""))
    assert "VERSION AS OF" in pinned
    spark.sql(pinned)
    spark.sql(plain)
    digests = [
        row.digest
        for row in spark.sql(
            "SELECT digest FROM sqlml.model_versions WHERE model = 'pinned.m' ORDER BY version"
        ).collect()
    ]
    spark.sql("DROP MODEL pinned.m")
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("table", [*_OF_OTHERS, "parquet", "orc", "json", "csv"], indirect=True)
def test_the_optimizer_over_every_scan(table: str, spark: SparkSession) -> None:
    """The same predictions with and without the rules that prune models and joins, and a scan of the features only."""
    spark.sql(f"TRAIN MODEL pinned.m USING random_forest TARGET y FEATURES (a) AS SELECT * FROM {table}")
    query = f"SELECT round(sum(PREDICT(pinned.m, *)), 9) AS s FROM {table} WHERE a BETWEEN 2 AND 4"
    joined = (
        f"SELECT round(sum(PREDICT(pinned.m, l.*)), 9) AS s FROM {table} AS l"
        f" LEFT JOIN (SELECT DISTINCT id FROM {table}) AS r ON l.id = r.id"
    )
    found = [spark.sql(text).collect()[0].s for text in (query, joined)]
    plan = spark.sql(query)._jdf.queryExecution().executedPlan().toString()
    assert "splits" in plan
    assert "Join" not in spark.sql(joined)._jdf.queryExecution().optimizedPlan().toString()
    rules = "spark.sql.optimizer.excludedRules"
    spark.conf.set("spark.sqlml.fileStatistics.maxFiles", "16")
    with_statistics = spark.sql(query).collect()[0].s
    spark.conf.unset("spark.sqlml.fileStatistics.maxFiles")
    spark.conf.set(rules, "org.sqlml.optimizer.PruneModels,org.sqlml.optimizer.EliminateUnusedJoins")
    plainly = [spark.sql(text).collect()[0].s for text in (query, joined)]
    spark.conf.set(rules, "")
    spark.conf.set("spark.sqlml.engine", "onnxruntime")
    by_onnxruntime = [spark.sql(text).collect()[0].s for text in (query, joined)]
    spark.conf.unset("spark.sqlml.engine")
    spark.sql("DROP MODEL pinned.m")
    assert found == plainly == by_onnxruntime
    assert with_statistics == found[0]
    # The scan reads the feature, and not the other columns.
    assert "b#" not in plan, plan
