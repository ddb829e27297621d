"""TRANSFORM beyond tests/golden/transform.sql: other sessions, other engines, the table's plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_ROWS = "SELECT id, id % 5 AS a, cast(id % 3 AS string) AS b, array(id, 1) AS tags, id * 2.5D AS y FROM range(40)"


@pytest.fixture(scope="module")
def model(spark: SparkSession) -> Iterator[str]:
    """Trained with ANSI mode off and a function of the session: a division by 0 is NULL, and `twice` is known."""
    session = spark.newSession()
    session.conf.set("spark.sql.ansi.enabled", "false")
    session.sql("CREATE TEMPORARY FUNCTION halved(x BIGINT) RETURNS DOUBLE RETURN x / 2")
    session.sql(
        "TRAIN MODEL in_session USING sklearn.decision_tree TARGET y"
        f" TRANSFORM (10 / a AS ratio, int(b) AS b, size(tags) + tags[0] AS first) AS {_ROWS}"
    )
    session.sql(
        f"TRAIN MODEL with_function USING sklearn.linear_regression TARGET y TRANSFORM (halved(id) AS half) AS {_ROWS}"
    )
    yield "in_session"
    session.sql("DROP MODEL in_session")
    session.sql("DROP MODEL with_function")


def test_ansi_mode_is_that_of_the_training(spark: SparkSession, model: str) -> None:
    """Under ANSI mode 10 / 0 and int('x') would be errors."""
    session = spark.newSession()
    session.conf.set("spark.sql.ansi.enabled", "true")
    rows = session.sql(f"SELECT y, PREDICT({model}, *) AS p FROM ({_ROWS})").collect()
    assert len(rows) == 40
    assert sum(abs(row.y - row.p) < 1e-9 for row in rows) >= 32, "a tree knows its own rows"
    other = session.sql(f"SELECT PREDICT({model}, 0L, 'x', array(3L)) AS p").first()
    assert other is not None and other.p is not None


def test_an_array_has_to_be_the_array_of_the_training(spark: SparkSession, model: str) -> None:
    with pytest.raises(Exception, match=r"SQLML_TYPE_MISMATCH.*tags.*ARRAY<BIGINT>.*ARRAY<STRING>"):
        spark.sql(f"SELECT PREDICT({model}, 1L, '1', array('a'))")


def test_a_function_of_the_session_has_to_be_there(spark: SparkSession, model: str) -> None:
    session = spark.newSession()
    with pytest.raises(Exception, match=r"SQLML_TRANSFORM_INVALID.*with_function cannot be applied here.*halved"):
        session.sql("SELECT PREDICT(with_function, 4L)")
    session.sql("CREATE TEMPORARY FUNCTION halved(x BIGINT) RETURNS DOUBLE RETURN x / 2")
    row = session.sql("SELECT PREDICT(with_function, 4L) AS p").first()
    assert row is not None and row.p == pytest.approx(10.0)


def test_only_what_the_expressions_read_is_read(spark: SparkSession, model: str, tmp_path: object) -> None:
    spark.sql(_ROWS).write.parquet(f"{tmp_path}/rows")
    frame = spark.sql(f"SELECT PREDICT({model}, *) AS p FROM parquet.`{tmp_path}/rows`")
    plan = frame._jdf.queryExecution().executedPlan().toString()
    assert "ReadSchema: struct<a:bigint,b:string,tags:array<bigint>>" in plan
    assert frame.count() == 40


@pytest.mark.slow
def test_mllib_and_a_column_of_weights(spark: SparkSession) -> None:
    spark.sql(
        f"TRAIN MODEL on_the_cluster USING mllib.linear_regression TARGET y TRANSFORM (id * 2 AS twice, a) AS {_ROWS}"
    )
    row = spark.sql(f"SELECT max(abs(y - PREDICT(on_the_cluster, *))) AS off FROM ({_ROWS})").first()
    assert row is not None and row.off < 1e-6
    spark.sql("DROP MODEL on_the_cluster")
