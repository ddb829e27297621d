"""A join that only brings what no model uses is left out where its keys are unique, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_RULE = "org.sqlml.optimizer.EliminateUnusedJoins"
_TABLES = {
    # `k` and `n` have NULL; `code` of a place that is not known; two flights to one place.
    "trips": "SELECT id, CAST(id % 50 AS DOUBLE) AS a, rand(1) AS b, IF(id % 7 = 0, NULL, id % 13) AS k,"
    " concat('c', id % 11) AS code, id % 3 AS part FROM range(300)",
    "places": "SELECT id AS k, concat('c', id) AS code, id * 1.5D AS height, id % 2 AS side, id % 3 AS part"
    " FROM range(10) UNION ALL SELECT NULL, 'none', 9D, 0, 0",
    "twice": "SELECT id % 5 AS k, id * 1.5D AS height FROM range(10)",
}
_KEYS = "TBLPROPERTIES ('SQLML.Unique_Keys' = 'K; Code, part ')"


@pytest.fixture(scope="module")
def tables(spark: SparkSession) -> Iterator[None]:
    """Trips, places with declared keys, a table without, and trees that use a and b but no height."""
    for name, query in _TABLES.items():
        spark.sql(f"CREATE TABLE {name} USING parquet {_KEYS if name == 'places' else ''} AS {query}")
    spark.sql(
        "TRAIN MODEL low USING sklearn.decision_tree TARGET y OPTIONS (max_depth = 3, test_fraction = 0.1)"
        " AS SELECT a, b, 0D AS height, a > 20 AND b < 0.5 AS y FROM trips"
    )
    yield
    spark.sql("DROP MODEL low")
    for name in _TABLES:
        spark.sql(f"DROP TABLE {name}")


@pytest.fixture(params=["compiled", "onnxruntime"])
def engine(request: pytest.FixtureRequest, spark: SparkSession, tables: None) -> Iterator[str]:
    """Each engine in turn, set in the session."""
    spark.conf.set("spark.sqlml.engine", request.param)
    yield request.param
    spark.conf.unset("spark.sqlml.engine")


def _optimized(frame: DataFrame) -> str:
    return str(frame._jdf.queryExecution().optimizedPlan().toString())


def _joins(spark: SparkSession, query: str) -> int:
    """How many joins a query has; its rows are those that it has without the rule."""
    frame = spark.sql(query)
    joins = len(re.findall(r"Join (?:Left|Right)Outer", _optimized(frame)))
    found = sorted(map(str, frame.collect()))
    assert found
    spark.conf.set("spark.sql.optimizer.excludedRules", _RULE)
    try:
        frame = spark.sql(query)
        assert re.search(r"Join (?:Left|Right)Outer", _optimized(frame)), "there is a join to leave out"
        assert sorted(map(str, frame.collect())) == found
    finally:
        spark.conf.unset("spark.sql.optimizer.excludedRules")
    return joins


_CALL = "PREDICT(low, a => t.a, b => t.b, height => p.height)"


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN places p ON p.k = t.k",
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN places p ON t.k = p.k AND p.side = 1 AND t.b < p.height",
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN places p ON t.code = p.code AND t.part = p.part",
        f"SELECT t.id, {_CALL} AS said FROM places p RIGHT JOIN trips t ON t.k + 1 = p.k",
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN places p ON CAST(t.part AS INT) = p.k",
        f"SELECT count(*), {_CALL} AS said FROM trips t LEFT JOIN places p ON p.k = t.k GROUP BY {_CALL}",
        f"SELECT t.id FROM trips t LEFT JOIN places p ON p.k = t.k WHERE {_CALL} AND t.b > 0.1",
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN places p ON p.k = t.k ORDER BY t.id LIMIT 40",
        # A column under another name, and what was selected from the table.
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN"
        " (SELECT k AS place, height FROM places WHERE side = 0) p ON p.place = t.k",
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN (SELECT p.k, q.height FROM places p LEFT JOIN"
        " places q ON p.k = q.k) p ON p.k = t.k",
        # What groups and DISTINCT make unique, NULL included.
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN"
        " (SELECT DISTINCT k, 1D AS height FROM twice) p ON p.k = t.k",
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN"
        " (SELECT part, k, avg(height) AS height FROM places GROUP BY k, part) p ON p.k <=> t.k AND p.part = t.part",
        # A table with itself.
        "SELECT t.k, PREDICT(low, a => t.height, b => t.height, height => p.height) AS said"
        " FROM places t LEFT JOIN places p ON p.k = t.side",
    ],
)
def test_the_join_is_left_out(spark: SparkSession, engine: str, query: str) -> None:
    assert _joins(spark, query) == 0


@pytest.mark.parametrize(
    "query",
    [
        # No key: five rows of trips have two partners.
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN twice p ON p.k = t.k",
        # Half of a key, another column, another comparison, a key that is computed.
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN places p ON p.code = t.code",
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN places p ON p.side = t.k",
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN places p ON p.k <= t.k AND p.side = t.part",
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN places p ON p.k % 5 = t.k",
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN places p ON p.k = p.side",
        # UNIQUE says nothing of NULL: more rows than one may have it.
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN places p ON p.k <=> t.k",
        # Either is true of more than one row.
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN places p ON p.k = t.k OR p.side = t.part",
        # Somebody takes a column.
        f"SELECT t.id, p.side, {_CALL} AS said FROM trips t LEFT JOIN places p ON p.k = t.k",
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN places p ON p.k = t.k WHERE p.k IS NULL",
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN places p ON p.k = t.k ORDER BY p.side, t.id LIMIT 9",
        "SELECT t.id, PREDICT(low, a => p.height, b => t.b, height => 1) AS said"
        " FROM trips t LEFT JOIN places p ON p.k = t.k",
        # Rows without a trip.
        f"SELECT t.id, {_CALL} AS said FROM trips t RIGHT JOIN places p ON p.k = t.k",
        # A union of two unique tables is not unique.
        f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN"
        " (SELECT k, height FROM places UNION ALL SELECT k, height FROM places) p ON p.k = t.k",
    ],
)
def test_the_join_stays(spark: SparkSession, engine: str, query: str) -> None:
    assert _joins(spark, query) == 1


def test_of_some_groups_spark_leaves_it_out_itself(spark: SparkSession, engine: str) -> None:
    groups = "SELECT k, max(height) AS height FROM twice GROUP BY k"
    frame = spark.sql(f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN ({groups}) p ON p.k = t.k")
    assert "Join" not in _optimized(frame)
    assert frame.count() == 300


def test_an_inner_join_drops_rows_and_stays(spark: SparkSession, engine: str) -> None:
    frame = spark.sql(f"SELECT t.id, {_CALL} AS said FROM trips t JOIN places p ON p.k = t.k")
    assert "Join Inner" in _optimized(frame)
    assert frame.count() < 300


def test_all_of_several_joins(spark: SparkSession, engine: str) -> None:
    joined = "FROM trips t LEFT JOIN places q ON q.k = t.part LEFT JOIN places p ON p.k = q.side"
    assert _joins(spark, f"SELECT t.id, {_CALL} AS said {joined}") == 0
    assert _joins(spark, f"SELECT t.id, q.height, {_CALL} AS said {joined}") == 1


def test_in_a_view(spark: SparkSession, engine: str) -> None:
    spark.sql(
        f"CREATE OR REPLACE TEMPORARY VIEW said AS SELECT t.*, p.height, {_CALL} AS says"
        " FROM trips t LEFT JOIN places p ON p.k = t.k"
    )
    try:
        assert _joins(spark, "SELECT id, says FROM said WHERE a > 3") == 0
        assert _joins(spark, "SELECT count(*), says FROM said GROUP BY says") == 0
        assert _joins(spark, "SELECT id, says, height FROM said") == 1
    finally:
        spark.catalog.dropTempView("said")


def test_the_columns_that_were_compared_are_not_read(spark: SparkSession, engine: str) -> None:
    frame = spark.sql(f"SELECT {_CALL} AS said FROM trips t LEFT JOIN places p ON p.k = t.k")
    schemas = re.findall(r"ReadSchema: struct<(.*?)>", str(frame._jdf.queryExecution().executedPlan().toString()))
    assert schemas == ["a:double,b:double"]


def test_without_a_model_nothing_changes(spark: SparkSession, tables: None) -> None:
    frame = spark.sql("SELECT t.id FROM trips t LEFT JOIN places p ON p.k = t.k")
    assert "Join LeftOuter" in _optimized(frame)


@pytest.mark.parametrize(
    ("declared", "joins"),
    [
        ("`k`", 0),
        ("code, part; k", 0),
        (" ;k;", 0),
        ("code, part", 1),
        ("k, height_before", 1),
        ("places.k", 1),
        ("`a;k`", 1),
        ("k k", 1),
        ("", 1),
    ],
)
def test_what_a_property_says(spark: SparkSession, tables: None, declared: str, joins: int) -> None:
    before = "SELECT k, code, part, height, side FROM places"
    spark.sql(f"CREATE TABLE others USING parquet TBLPROPERTIES ('sqlml.unique_keys' = '{declared}') AS {before}")
    try:
        query = f"SELECT t.id, {_CALL} AS said FROM trips t LEFT JOIN others p ON p.k = t.k"
        assert _joins(spark, query) == joins
        spark.sql("ALTER TABLE others UNSET TBLPROPERTIES ('sqlml.unique_keys')")
        assert _joins(spark, query) == 1
        spark.sql("ALTER TABLE others SET TBLPROPERTIES ('sqlml.unique_keys' = 'K')")
        assert _joins(spark, query) == 0
        spark.conf.set("spark.sql.caseSensitive", "true")
        assert _joins(spark, query) == 1
    finally:
        spark.conf.unset("spark.sql.caseSensitive")
        spark.sql("DROP TABLE others")
