"""How many rows a query scores, and how often each: under filters, limits and sorts, with both engines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.generated_code import generated
from pyspark.errors import ArithmeticException

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_ENGINES = ("compiled", "onnxruntime")
_MADE = "SELECT id, rand(1) AS a, rand(2) AS b, rand(3) AS c, IF(id % 2 = 0, 'red', 'blue') AS colour FROM range(2000)"
_COLUMNS = "SELECT *, 3 * a + b * b + IF(colour = 'red', 2D, 0D) AS y FROM"
# A row from 500 on cannot be scored without an error.
_CAREFUL = "a => a / IF(id < 500, 1, 0), b => b, c => c, colour => colour"
_RULES = ("org.sqlml.optimizer.ScoreAfterLimit", "org.sqlml.optimizer.PullOutPredictions")


@pytest.fixture(scope="module")
def rows(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """2000 rows in the order of their ids in one file, trees that say y and a linear model that says whether y > 2."""
    folder: Path = tmp_path_factory.mktemp("filters") / "rows"
    spark.sql(f"{_COLUMNS} ({_MADE})").coalesce(1).write.parquet(str(folder))
    name = f"parquet.`{folder}`"
    options = "OPTIONS (n_estimators = 9)"
    spark.sql(
        f"TRAIN MODEL grown USING sklearn.gradient_boosting TARGET y {options} AS SELECT * EXCEPT (id) FROM {name}"
    )
    spark.sql(
        "TRAIN MODEL above USING sklearn.logistic_regression TARGET high"
        f" AS SELECT * EXCEPT (id, y), IF(y > 2, 'yes', 'no') AS high FROM {name}"
    )
    yield name
    spark.sql("DROP MODEL grown")
    spark.sql("DROP MODEL above")


@pytest.fixture(params=_ENGINES)
def engine(request: pytest.FixtureRequest, spark: SparkSession) -> Iterator[str]:
    """Each engine in turn, set in the session."""
    spark.conf.set("spark.sqlml.engine", request.param)
    yield request.param
    spark.conf.unset("spark.sqlml.engine")


def _plan(frame: DataFrame) -> str:
    text = str(frame._jdf.queryExecution().executedPlan().toString())
    return text.split("== Initial Plan ==")[0]


def _without_rules(spark: SparkSession, query: str) -> tuple[list[object], str]:
    spark.conf.set("spark.sql.optimizer.excludedRules", ",".join(_RULES))
    try:
        frame = spark.sql(query)
        return sorted(map(str, frame.collect())), _plan(frame)
    finally:
        spark.conf.unset("spark.sql.optimizer.excludedRules")


def _same(spark: SparkSession, query: str) -> str:
    """The plan of a query, whose rows are those that Spark's own rules alone give."""
    frame = spark.sql(query)
    found = sorted(map(str, frame.collect()))
    assert found, "a query that gives no row shows nothing"
    assert found == _without_rules(spark, query)[0]
    return _plan(frame)


def _scored(plan: str) -> int:
    """How often a row is given to a model."""
    lines = [re.sub(r"(DataFilters|PushedFilters): \[.*", "", line) for line in plan.splitlines()]
    return len(re.findall(r"predict\w*\[", "\n".join(lines)))


# -- filters -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "where",
    [
        "id < {bound} AND PREDICT(grown, {careful}) > 3",
        "PREDICT(grown, {careful}) > 3 AND id < {bound}",
        "PREDICT(above, {careful}) = 'yes' AND id < {bound} AND PREDICT(grown, {careful}) > 3",
    ],
)
def test_a_filter_on_other_columns_runs_first(spark: SparkSession, rows: str, engine: str, where: str) -> None:
    found = spark.sql(f"SELECT count(*) AS n FROM {rows} WHERE {where.format(careful=_CAREFUL, bound=500)}").first()
    assert found is not None
    assert 0 < found.n < 500
    with pytest.raises(ArithmeticException, match="DIVIDE_BY_ZERO"):
        spark.sql(f"SELECT count(*) FROM {rows} WHERE {where.format(careful=_CAREFUL, bound=502)}").collect()


def test_a_filter_above_a_view_runs_before_scoring(spark: SparkSession, rows: str, engine: str) -> None:
    spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW scored AS SELECT id, PREDICT(grown, {_CAREFUL}) AS said FROM {rows}")
    assert spark.sql("SELECT * FROM scored WHERE id < 400").count() == 400
    assert len(spark.sql("SELECT * FROM scored WHERE id < 400 AND said < 100").collect()) == 400
    with pytest.raises(ArithmeticException):
        spark.sql("SELECT sum(said) FROM scored WHERE id < 501").collect()
    spark.catalog.dropTempView("scored")


def test_random_columns_are_not_drawn_twice(spark: SparkSession, rows: str) -> None:
    """What a filter asked about other random numbers is not what stands above it."""
    spark.conf.set("spark.sqlml.engine", "compiled")
    try:
        asked = "a => r, b => 0.5D, c => 0.5D, colour => 'blue'"
        where = f"PREDICT_PROBA(above, {asked.replace('=> r', '=> rand(1)')})['no'] < 0.5"
        query = f"SELECT r, PREDICT(above, {asked}) AS p FROM"
        found = spark.sql(f"{query} (SELECT rand(1) AS r FROM {rows} WHERE {where})").collect()
        assert found
        again = spark.createDataFrame([(row.r,) for row in found], "r double")
        again.createOrReplaceTempView("drawn")
        expected = {row.r: row.p for row in spark.sql(f"{query} drawn").collect()}
        assert len(set(expected.values())) == 2
        assert [row.p for row in found] == [expected[row.r] for row in found]
        spark.catalog.dropTempView("drawn")
    finally:
        spark.conf.unset("spark.sqlml.engine")


_GUARDED = "PREDICT(grown, a => 1 / IF(id % 2 = 0, 0, 1), b => b, c => c, colour => colour)"


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT id, {_GUARDED} AS p FROM {{rows}} WHERE IF(id % 2 = 1, {_GUARDED} > 0, false)",
        f"SELECT id, IF(id % 2 = 1, {_GUARDED}, NULL) AS p FROM {{rows}} WHERE id % 2 = 0 OR {_GUARDED} > 0",
        f"SELECT id, CASE WHEN id % 2 = 1 THEN {_GUARDED} END AS p FROM {{rows}}",
        f"SELECT id, coalesce(IF(id % 2 = 0, 1D, NULL), {_GUARDED}) AS p FROM {{rows}}",
    ],
)
def test_what_a_condition_guards_is_not_computed_before_it(spark: SparkSession, rows: str, query: str) -> None:
    """Of the compiled engine; ONNX Runtime is asked before the conditions are."""
    spark.conf.set("spark.sqlml.engine", "compiled")
    try:
        assert len(spark.sql(query.format(rows=rows)).collect()) >= 1000
    finally:
        spark.conf.unset("spark.sqlml.engine")


# -- once a row --------------------------------------------------------------------------------------------------------

_CALL = "PREDICT(grown, *)"
_SHARE = "PREDICT_PROBA(above, *)['yes']"


@pytest.mark.parametrize(
    ("query", "times"),
    [
        (f"SELECT id, {_CALL} AS p FROM {{rows}} WHERE {_CALL} > 2", 1),
        (f"SELECT id, {_CALL} AS p FROM {{rows}} WHERE {_CALL} > 2 AND c < 0.5", 1),
        (f"SELECT {_CALL} > 3, count(*) FROM {{rows}} WHERE {_CALL} > 2 GROUP BY {_CALL} > 3", 1),
        (f"SELECT max({_CALL}) FROM {{rows}} WHERE {_CALL} > 2 AND {_CALL} < 4", 1),
        (f"SELECT id, {_SHARE} AS p FROM {{rows}} WHERE {_SHARE} > 0.4 AND {_SHARE} < 0.9", 1),
        (f"SELECT id, {_CALL} AS p, {_SHARE} AS s FROM {{rows}} WHERE {_SHARE} > 0.4 AND {_CALL} > 1", 2),
        (f"SELECT id, {_CALL} AS p FROM {{rows}} WHERE {_CALL} > 1 ORDER BY {_CALL}, id LIMIT 7", 1),
        (f"SELECT * FROM (SELECT id, {_CALL} AS p FROM {{rows}}) WHERE p > 2 AND id > 9", 1),
        ("SELECT l.id, PREDICT(grown, l.*) AS p, r.c FROM {rows} l JOIN {rows} r ON l.id = r.id"
         " WHERE PREDICT(grown, l.*) > 2", 1),
        # What an outer join adds was no row of the filter's: its columns are NULL, and the model says something of it.
        ("SELECT l.id, PREDICT(grown, r.*) AS p FROM {rows} l LEFT JOIN"
         " (SELECT * FROM {rows} WHERE PREDICT(grown, *) > 2) r ON l.id = r.id", 2),
    ],
)  # fmt: skip
def test_in_select_and_where_is_once_a_row(spark: SparkSession, rows: str, engine: str, query: str, times: int) -> None:
    assert _scored(_same(spark, query.format(rows=rows))) == times


def test_spark_alone_would_score_twice(spark: SparkSession, rows: str, engine: str) -> None:
    _, plan = _without_rules(spark, f"SELECT id, {_CALL} AS p FROM {rows} WHERE {_CALL} > 2")
    assert _scored(plan) == (2 if engine == "onnxruntime" else 1), "the physical rule knows no list of rules to exclude"


def test_the_forest_is_walked_once_in_generated_code(spark: SparkSession, rows: str) -> None:
    spark.conf.set("spark.sqlml.engine", "compiled")
    try:
        frame = spark.sql(f"SELECT id, {_CALL} AS p FROM {rows} WHERE {_CALL} > 2 AND c < 0.5")
        assert generated(frame).count(".score(") == 1
    finally:
        spark.conf.unset("spark.sqlml.engine")


# -- limits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tail", ["LIMIT 10", "WHERE c < 0.5 LIMIT 10", "LIMIT 10 OFFSET 20", "ORDER BY id LIMIT 10",
             "WHERE c < 0.5 ORDER BY id + 1, b LIMIT 10 OFFSET 20"],
)  # fmt: skip
def test_a_limit_scores_about_as_many_rows(spark: SparkSession, rows: str, engine: str, tail: str) -> None:
    """The rows from 500 on, three quarters of all, would be errors."""
    frame = spark.sql(f"SELECT id, 1 + PREDICT(grown, {_CAREFUL}) AS p, b FROM {rows} {tail}")
    assert len(frame.collect()) == 10
    expected = [row.id for row in spark.sql(f"SELECT id FROM {rows} {tail}").collect()]
    assert [row.id for row in frame.collect()] == expected
    if "ORDER BY" in tail:
        assert "TakeOrderedAndProject" in _plan(frame)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id, PREDICT(grown, *) AS p FROM {rows} ORDER BY b LIMIT 10",
        "SELECT id, PREDICT(grown, *) AS p, upper(colour) AS u FROM {rows} ORDER BY u, b DESC LIMIT 10 OFFSET 3",
        "SELECT PREDICT(grown, *) AS p, PREDICT(above, *) AS q FROM {rows} ORDER BY b, a LIMIT 10",
        "SELECT max(p) FROM (SELECT PREDICT(grown, *) AS p FROM {rows} ORDER BY b LIMIT 10)",
        "SELECT p, id FROM (SELECT id, c, PREDICT(grown, *) AS p FROM {rows}) WHERE c > 0.1 ORDER BY c LIMIT 10",
        # Here the model says which rows are first.
        "SELECT id, PREDICT(grown, *) AS p FROM {rows} ORDER BY p DESC, id LIMIT 10",
        "SELECT id, PREDICT(grown, *) AS p, PREDICT(above, *) AS q FROM {rows} ORDER BY p DESC, id LIMIT 10",
    ],
)
def test_the_first_rows_are_the_same(spark: SparkSession, rows: str, engine: str, query: str) -> None:
    assert "TakeOrderedAndProject" in _same(spark, query.format(rows=rows))


def test_a_sort_by_what_is_said_scores_all_rows(spark: SparkSession, rows: str, engine: str) -> None:
    with pytest.raises(ArithmeticException):
        spark.sql(f"SELECT PREDICT(grown, {_CAREFUL}) AS p FROM {rows} ORDER BY p LIMIT 10").collect()


def test_other_queries_stay_as_they_are(spark: SparkSession, rows: str) -> None:
    for query in (f"SELECT upper(colour) AS u FROM {rows} ORDER BY b LIMIT 3", f"SELECT a + 1 FROM {rows} WHERE a > 0"):
        _, plan = _without_rules(spark, query)
        assert re.sub(r"#\d+", "", plan) == re.sub(r"#\d+", "", _plan(spark.sql(query)))
