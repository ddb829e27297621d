"""Apache DataFusion Comet: sqlml's answers over its native scans and shuffles are Spark's own.

`make test-spark VERSION=4.1.4 ONLY=comet` runs this in a process of its own, which has Comet's plugin.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from helpers import comet

if TYPE_CHECKING:
    from pyspark.sql import Row, SparkSession

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get(comet.ASKED), reason="needs a plugin: run by helpers.spark_matrix"),
]

_ROWS = (
    "SELECT id, id % 9 AS a, CASE WHEN id % 11 <> 0 THEN id / 7D END AS b, 'p' || id % 3 AS c,"
    " id % 9 * 2 + id / 70D + id % 3 AS y, id % 9 + id % 3 > 5 AS z FROM range(2000)"
)
_QUERIES = {
    "projection": "SELECT id, round(PREDICT(comets.m, *), 9) AS s FROM {t} ORDER BY id",
    "filter": "SELECT id FROM {t} WHERE PREDICT(comets.m, *) > 9 AND a BETWEEN 2 AND 7 ORDER BY id",
    "aggregate": "SELECT c, count(*) AS n, round(sum(PREDICT(comets.m, *)), 6) AS s FROM {t} GROUP BY c ORDER BY c",
    "probability": "SELECT id, round(PREDICT_PROBA(comets.yes, *)[true], 9) AS s FROM {t} ORDER BY id",
    "join": "SELECT id, round(PREDICT(comets.m, l.*), 9) AS s FROM {t} AS l JOIN {t} AS r USING (id) ORDER BY 1",
    "top-n": "SELECT id, round(PREDICT(comets.m, *), 9) AS s FROM {t} ORDER BY y DESC, id LIMIT 20",
}
# Comet names its operators so; `CometScan` also stands for a scan by Spark that Comet only takes over.
_NATIVE_SCAN = "CometNativeScan"


@pytest.fixture(scope="module")
def table(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Parquet table and two models that were trained on it."""
    path = tmp_path_factory.mktemp("comet") / "rows.parquet"
    spark.sql(_ROWS).write.parquet(str(path))
    name = f"parquet.`{path}`"
    features = f"FEATURES (a, b, c) AS SELECT * FROM {name}"
    spark.sql(f"TRAIN MODEL comets.m USING random_forest TARGET y OPTIONS (n_estimators = 10) {features}")
    spark.sql(f"TRAIN MODEL comets.yes USING logistic_regression TARGET z {features}")
    yield name
    spark.sql("DROP MODEL comets.m")
    spark.sql("DROP MODEL comets.yes")


def _plan(spark: SparkSession, query: str) -> str:
    return str(spark.sql(query)._jdf.queryExecution().executedPlan().toString())


def _without_comet(spark: SparkSession, query: str) -> list[Row]:
    spark.conf.set("spark.comet.enabled", "false")
    try:
        assert "Comet" not in _plan(spark, query)
        return spark.sql(query).collect()
    finally:
        spark.conf.unset("spark.comet.enabled")


@pytest.mark.parametrize("name", _QUERIES)
@pytest.mark.parametrize("engine", ["compiled", "onnxruntime"])
def test_the_same_answers(name: str, engine: str, table: str, spark: SparkSession) -> None:
    query = _QUERIES[name].format(t=table)
    spark.conf.set("spark.sqlml.engine", engine)
    try:
        found, plan = spark.sql(query).collect(), _plan(spark, query)
        assert found == _without_comet(spark, query)
    finally:
        spark.conf.unset("spark.sqlml.engine")
    assert found
    assert _NATIVE_SCAN in plan, plan


def test_the_native_scan_is_below_the_compiled_model(table: str, spark: SparkSession) -> None:
    spark.conf.set("spark.sqlml.engine", "compiled")
    try:
        plan = _plan(spark, f"SELECT id, PREDICT(comets.m, *) AS s FROM {table} WHERE a > 3")
    finally:
        spark.conf.unset("spark.sqlml.engine")
    # A plan is printed from the top: what stands later is below.
    assert 0 <= plan.find("predict[comets.m/1 compiled") < plan.find(_NATIVE_SCAN), plan
