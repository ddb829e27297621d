"""An inner join that only brings what no model uses is left out where a foreign key is declared, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_RULE = "org.sqlml.optimizer.EliminateUnusedJoins"
_PLACES = (
    "SELECT id AS k, concat('c', id) AS code, id % 3 AS part, id * 1.5D AS height, id % 2 AS side FROM range(10)"
    " UNION ALL SELECT NULL, 'none', 0, 9D, 0"
)
# Each `k`, `home` and pair of `code` and `part` has its place, but for NULL; `part` alone is declared nowhere.
_TRIPS = (
    "SELECT id, CAST(id % 50 AS DOUBLE) AS a, id % 17 / 17D AS b, IF(id % 7 = 0, NULL, CAST(id % 10 AS INT)) AS k,"
    " IF(id % 11 = 0, NULL, concat('c', id % 10)) AS code, id % 10 % 3 AS part, id % 4 AS home FROM range(300)"
)
_UNIQUE = "TBLPROPERTIES ('sqlml.unique_keys' = 'k; code, part')"
_KEYS = "k REFERENCES places (k); (code, part) references `default`.places (code, part); home REFERENCES PLACES (K)"


@pytest.fixture(scope="module")
def tables(spark: SparkSession) -> Iterator[None]:
    """Trips that refer to places, and a tree that uses a and b but no height."""
    spark.sql(f"CREATE TABLE places USING parquet {_UNIQUE} AS {_PLACES}")
    spark.sql(f"CREATE TABLE trips USING parquet TBLPROPERTIES ('sqlml.foreign_keys' = '{_KEYS}') AS {_TRIPS}")
    spark.sql(
        "TRAIN MODEL low USING sklearn.decision_tree TARGET y OPTIONS (max_depth = 3, test_fraction = 0.1)"
        " AS SELECT a, b, 0D AS height, a > 20 AND b < 0.5 AS y FROM trips"
    )
    yield
    spark.sql("DROP MODEL low")
    spark.sql("DROP TABLE trips")
    spark.sql("DROP TABLE places")


def _joins(spark: SparkSession, query: str) -> int:
    """How many inner joins a query has; its rows are those that it has without the rule."""
    frame = spark.sql(query)
    joins = str(frame._jdf.queryExecution().optimizedPlan().toString()).count("Join Inner")
    found = sorted(map(str, frame.collect()))
    assert found
    spark.conf.set("spark.sql.optimizer.excludedRules", _RULE)
    try:
        frame = spark.sql(query)
        assert "Join Inner" in str(frame._jdf.queryExecution().optimizedPlan().toString())
        assert sorted(map(str, frame.collect())) == found
    finally:
        spark.conf.unset("spark.sql.optimizer.excludedRules")
    return joins


_CALL = "PREDICT(low, a => t.a, b => t.b, height => p.height)"
_SAID = f"SELECT t.id, {_CALL} AS said FROM"


@pytest.mark.parametrize("engine", ["compiled", "onnxruntime"])
@pytest.mark.parametrize(
    "query",
    [
        f"{_SAID} trips t JOIN places p ON p.k = t.k",
        f"{_SAID} places p JOIN trips t ON t.k = p.k",
        f"{_SAID} trips t JOIN places p ON t.code = p.code AND p.part = t.part",
        f"{_SAID} trips t JOIN places p ON p.k = t.home WHERE t.b < 0.5",
        # Spark filters both sides.
        f"{_SAID} trips t JOIN places p ON p.k = t.home WHERE t.home = 3",
        f"{_SAID} trips t JOIN places p ON t.code = p.code AND p.part = t.part WHERE t.code LIKE 'c1%' AND t.part < 2",
        f"SELECT count(*), {_CALL} AS said FROM trips t JOIN places p ON p.k = t.k GROUP BY {_CALL}",
        f"{_SAID} (SELECT id, a, b, k AS place FROM trips ORDER BY id LIMIT 50) t"
        " JOIN (SELECT k AS it, height FROM places) p ON p.it = t.place",
        f"{_SAID} trips t JOIN places q ON q.k = t.k JOIN places p ON p.k = t.home",
        f"{_SAID} (SELECT x.* FROM trips x LEFT SEMI JOIN trips y ON x.id = y.id + 20) t JOIN places p ON p.k = t.k",
        f"{_SAID} (SELECT k, max(id) AS id, max(a) AS a, min(b) AS b FROM trips GROUP BY k) t"
        " JOIN places p ON p.k = t.k",
    ],
)
def test_the_join_is_left_out(spark: SparkSession, tables: None, engine: str, query: str) -> None:
    spark.conf.set("spark.sqlml.engine", engine)
    try:
        assert _joins(spark, query) == 0
    finally:
        spark.conf.unset("spark.sqlml.engine")


@pytest.mark.parametrize(
    "query",
    [
        # Of a table that is filtered, some rows are not there.
        f"{_SAID} trips t JOIN places p ON p.k = t.k WHERE p.side = 1",
        f"{_SAID} trips t JOIN (SELECT * FROM places WHERE height > 3) p ON p.k = t.k",
        f"{_SAID} trips t JOIN (SELECT * FROM places WHERE k < 5) p ON p.k = t.k",
        f"{_SAID} trips t JOIN (SELECT * FROM places WHERE k IS NOT NULL AND side IS NOT NULL) p ON p.k = t.k",
        f"{_SAID} trips t JOIN (SELECT * FROM places ORDER BY height LIMIT 5) p ON p.k = t.k",
        f"{_SAID} trips t JOIN (SELECT p.* FROM places p JOIN trips u ON p.k = u.id) p ON p.k = t.k",
        # The condition asks for more, for less, or for something else.
        f"{_SAID} trips t JOIN places p ON p.k = t.k AND p.height > 3",
        f"{_SAID} trips t JOIN places p ON p.k = t.k AND t.b * 9 < p.height",
        f"{_SAID} trips t JOIN places p ON p.k = t.k AND p.code = t.code",
        f"{_SAID} trips t JOIN places p ON p.k = t.k AND p.k = t.home",
        f"{_SAID} trips t JOIN places p ON p.part = t.part",
        f"{_SAID} trips t JOIN places p ON p.k = t.part",
        f"{_SAID} trips t JOIN places p ON p.k = t.id",
        f"{_SAID} trips t JOIN places p ON p.k = t.k + 1",
        f"{_SAID} trips t JOIN places p ON p.k <=> t.k",
        f"{_SAID} trips t JOIN places p ON p.k >= t.k AND p.k <= t.home",
        # Somebody takes a column, or there is another trip for each place.
        f"SELECT p.side, {_CALL} AS said FROM trips t JOIN places p ON p.k = t.k",
        "SELECT PREDICT(low, a => p.height, b => p.height, height => 1) AS said"
        " FROM trips t JOIN places p ON p.k = t.k",
        # What else has come into the column.
        f"{_SAID} (SELECT id, a, b, k FROM trips UNION ALL SELECT id, a, b, CAST(id AS INT) FROM trips) t"
        " JOIN places p ON p.k = t.k",
        f"{_SAID} (SELECT id, a, b, coalesce(k, 77) AS k FROM trips) t JOIN places p ON p.k = t.k",
    ],
)
def test_the_join_stays(spark: SparkSession, tables: None, query: str) -> None:
    assert _joins(spark, query) >= 1


def test_columns_that_another_join_fills_with_null(spark: SparkSession, tables: None) -> None:
    """Spark makes that an inner one, because a row without a key is dropped later: it is the one that is left."""
    trips = "(SELECT x.id, x.a, x.b, y.k FROM trips x LEFT JOIN trips y ON x.id = y.id + 20)"
    assert _joins(spark, f"{_SAID} {trips} t JOIN places p ON p.k = t.k") == 1


@pytest.mark.parametrize(
    ("declared", "joins"),
    [
        ("k references places(k)", 0),
        ("`k` REFERENCES `places` (`k`)", 0),
        ("( k )REFERENCES spark_catalog.default.places ( k )", 0),
        ("nonsense; k REFERENCES places (k) ;", 0),
        ("k REFERENCES default.places (k)", 0),
        ("k REFERENCES other.places (k)", 1),
        ("k REFERENCES a.b.c.places (k)", 1),
        ("k REFERENCES trips (k)", 1),
        ("k REFERENCES places (side)", 1),
        ("k REFERENCES places (k, side)", 1),
        ("k, home REFERENCES places (k, side)", 1),
        ("k REFERENCES places", 1),
        ("k REFERENCES places ()", 1),
        ("k places (k)", 1),
        ("`k REFERENCES places (k)`", 1),
        ("gone REFERENCES places (k)", 1),
        ("", 1),
    ],
)
def test_what_a_property_says(spark: SparkSession, tables: None, declared: str, joins: int) -> None:
    spark.sql(f"CREATE TABLE others USING parquet TBLPROPERTIES ('SQLML.Foreign_Keys' = '{declared}') AS {_TRIPS}")
    try:
        assert _joins(spark, f"{_SAID} others t JOIN places p ON p.k = t.k") == joins
    finally:
        spark.sql("DROP TABLE others")


def test_the_other_side_is_unique_too(spark: SparkSession, tables: None) -> None:
    query = f"{_SAID} trips t JOIN places p ON p.k = t.k"
    spark.sql("ALTER TABLE places UNSET TBLPROPERTIES ('sqlml.unique_keys')")
    try:
        assert _joins(spark, query) == 1
    finally:
        spark.sql("ALTER TABLE places SET TBLPROPERTIES ('sqlml.unique_keys' = 'k; code, part')")
    assert _joins(spark, query) == 0


def test_a_table_that_a_query_reads_with_options(spark: SparkSession, tables: None) -> None:
    few = spark.read.option("modifiedBefore", "2020-01-01T00:00:00").table("places")
    few.createOrReplaceTempView("few")
    try:
        frame = spark.sql(f"{_SAID} trips t JOIN few p ON p.k = t.k")
        assert "Join Inner" in str(frame._jdf.queryExecution().optimizedPlan().toString())
    finally:
        spark.catalog.dropTempView("few")
