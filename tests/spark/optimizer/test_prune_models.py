"""Compiled models with what filters and literals say of their inputs: smaller, and the same for every row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_RULE = "org.sqlml.optimizer.PruneModels"
# Few different values, so that splits and predicates meet at the same numbers.
_ROWS = """
SELECT id, id % 9 / 4D AS a, CAST(id % 7 AS FLOAT) / 8 AS f, CAST(id % 61 AS INT) AS age, id % 5 * 10 AS big,
  element_at(array('basic', 'gold', 'plus', 'free'), CAST(id % 4 + 1 AS INT)) AS plan, id % 3 = 0 AS paid,
  DATE'2020-01-01' + CAST(id % 400 AS INT) AS since
FROM range(1500)
"""
_TARGET = "SELECT *, a * a + f + age / 20 + IF(plan = 'gold', 3, 0) * IF(paid, 2, 1) + big / 30 AS y FROM seen"
_HARD = """
SELECT * FROM seen UNION ALL VALUES
  (-1L, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (-2L, DOUBLE('NaN'), FLOAT('NaN'), 60, 20L, 'gold', true, DATE'2020-06-01'),
  (-3L, DOUBLE('Infinity'), FLOAT('-Infinity'), 2147483647, 9223372036854775807L, 'never', false, DATE'0001-01-01'),
  (-4L, DOUBLE('-Infinity'), FLOAT('Infinity'), -2147483648, -9223372036854775808L, '', true, DATE'9999-12-31'),
  (-5L, -0.0D, CAST(-0.0D AS FLOAT), 0, 0L, 'GOLD', NULL, DATE'1970-01-01'),
  (-6L, 0.0D, CAST(0.0D AS FLOAT), -1, 40L, 'basic ', false, NULL),
  (-7L, nextup(1.5D), 0.5F, 41, 10L, 'basic', true, DATE'2020-12-31')
""".replace("nextup(1.5D)", "1.5000000000000002D")
_MODELS = {
    "boosted": "sklearn.gradient_boosting TARGET y OPTIONS (n_estimators = 20)",
    "light": "lightgbm TARGET y OPTIONS (n_estimators = 10)",
    "extreme": "xgboost TARGET y OPTIONS (n_estimators = 10)",
    "linear": "sklearn.linear_regression TARGET y",
    "forest": "sklearn.random_forest TARGET high OPTIONS (n_estimators = 10, max_depth = 6)",
    "logistic": "sklearn.logistic_regression TARGET high",
}


@pytest.fixture(scope="module")
def models(spark: SparkSession) -> Iterator[None]:
    """Models of all kinds that are compiled otherwise, in a session that compiles; `hard` are the rows to ask about."""
    spark.sql(f"CREATE TEMPORARY VIEW seen AS {_ROWS}")
    spark.sql(f"CREATE TABLE hard USING parquet AS {_HARD}")
    for name, rest in _MODELS.items():
        wanted = "* EXCEPT (id)" if "TARGET y" in rest else "* EXCEPT (id, y), IF(y > 7, 'yes', 'no') AS high"
        spark.sql(f"TRAIN MODEL {name} USING {rest} AS SELECT {wanted} FROM ({_TARGET})")
    spark.conf.set("spark.sqlml.engine", "compiled")
    yield
    spark.conf.unset("spark.sqlml.engine")
    for name in _MODELS:
        spark.sql(f"DROP MODEL {name}")
    spark.sql("DROP TABLE hard")
    spark.catalog.dropTempView("seen")


def _plan(frame: DataFrame) -> str:
    return str(frame._jdf.queryExecution().executedPlan().toString()).split("== Initial Plan ==")[0]


def _calls(frame: DataFrame) -> list[str]:
    return re.findall(r"predict\w*\[(.*?)\]\(", _plan(frame))


def _same(spark: SparkSession, query: str) -> list[str]:
    """What EXPLAIN calls the models of a query, whose rows are those that it has with whole models."""
    frame = spark.sql(query)
    found = sorted(map(str, frame.collect()))
    spark.conf.set("spark.sql.optimizer.excludedRules", _RULE)
    try:
        whole = spark.sql(query)
        assert sorted(map(str, whole.collect())) == found
        assert found, "a query that gives no row shows nothing"
        assert not any("splits" in call for call in _calls(whole))
    finally:
        spark.conf.unset("spark.sql.optimizer.excludedRules")
    return _calls(frame)


_PREDICATES = (
    "plan = 'basic'",
    "plan IN ('gold', 'never')",
    "plan IS NULL",
    "plan IS NOT NULL AND paid",
    "NOT paid AND plan = 'gold'",
    "plan = 'GOLD'",
    "age > 40",
    "40 >= age AND age > 20",
    "age = 41",
    "age BETWEEN 5 AND 6 AND plan = 'gold' AND a BETWEEN 0.25 AND 0.75",
    "a > 1.5",
    "a >= 1.5",
    "a < 1.5",
    "a <= 1.5",
    "a = 0",
    "a <= 0 AND f >= 0",
    "a = 1.5 OR a IS NULL",
    "isnan(a)",
    "f > 0.5",
    "f BETWEEN 0.125 AND 0.25",
    "f = 0.5",
    "big > 20",
    "big = 9223372036854775807",
    "big IN (10, 20)",
    "since > DATE'2020-12-30'",
    "since = DATE'2020-06-01'",
    "since < DATE'1970-01-02'",
    "paid IS NULL",
    "CAST(age AS DOUBLE) > 40.5",
    "age > 10000 OR age < -5",
)


@pytest.mark.slow
@pytest.mark.parametrize("predicate", _PREDICATES)
def test_under_a_filter(spark: SparkSession, models: None, predicate: str) -> None:
    calls = ", ".join(f"PREDICT({name}, *) AS {name}" for name in _MODELS)
    asked = ", ".join(f"PREDICT_PROBA({name}, *) AS {name}_p" for name in ("forest", "logistic"))
    _same(spark, f"SELECT id, {calls}, {asked} FROM hard WHERE {predicate}")


def _smaller(calls: list[str]) -> list[tuple[int, int]]:
    return [(int(few), int(all_of_them)) for few, all_of_them in re.findall(r"(\d+) of (\d+) splits", " ".join(calls))]


@pytest.mark.parametrize(
    "predicate",
    ["plan = 'basic'", "age > 40", "age = 41", "a BETWEEN 0.25 AND 0.75", "paid"],
)
def test_branches_are_left_out(spark: SparkSession, models: None, predicate: str) -> None:
    (splits,) = _smaller(_same(spark, f"SELECT id, PREDICT(extreme, *) FROM hard WHERE {predicate}"))
    assert splits[0] < splits[1]


def test_what_only_those_branches_looked_at_is_not_read(spark: SparkSession, models: None) -> None:
    where = "age = 41 AND big = 10 AND since = DATE'2020-12-31' AND NOT isnan(a) AND a BETWEEN 1.5 AND 1.6"
    frame = spark.sql(f"SELECT PREDICT(boosted, *) AS said FROM hard WHERE {where}")
    (call,) = _calls(frame)
    left = re.search(r"(\d) of 7 features", call)
    assert left is not None
    assert int(left[1]) <= 4
    assert "big" not in re.findall(r"predict\[.*?\]\((.*?)\)", _plan(frame))[0]
    assert _same(spark, f"SELECT id, PREDICT(boosted, *) AS said FROM hard WHERE {where}") == [call]


_FEATURES = ("a", "f", "age", "big", "plan", "paid", "since")


@pytest.mark.slow
@pytest.mark.parametrize("model", _MODELS)
@pytest.mark.parametrize(
    "given",
    [
        {"plan": "'basic'"},
        {"plan": "'never'", "a": "0"},
        {"plan": "NULL", "a": "-0.0D", "age": "41"},
        {"a": "DOUBLE('NaN')", "f": "FLOAT('Infinity')", "paid": "true"},
        {"since": "DATE'2020-06-01'", "big": "20L", "paid": "NULL"},
        dict.fromkeys(_FEATURES, "NULL"),
        {"a": "1.5D", "f": "0.5F", "age": "41", "big": "10L", "plan": "'gold'", "paid": "true", "since": "since"},
    ],
    ids=lambda given: "-".join(given),
)
def test_literal_arguments(spark: SparkSession, models: None, model: str, given: dict[str, str]) -> None:
    arguments = ", ".join(f"{name} => {given.get(name, name)}" for name in _FEATURES)
    calls = _same(spark, f"SELECT id, PREDICT({model}, {arguments}) AS said FROM hard")
    left = re.findall(r"(\d) of 7 features", calls[0])
    assert left
    assert int(left[0]) <= 7 - sum(value != name for name, value in given.items())


@pytest.mark.parametrize("engine", ["compiled", "onnxruntime"])
@pytest.mark.parametrize("model", _MODELS)
def test_against_onnx_runtime(spark: SparkSession, models: None, engine: str, model: str) -> None:
    """One engine's answers under a filter are those of the other without one."""
    other = "onnxruntime" if engine == "compiled" else "compiled"
    where = "age BETWEEN 10 AND 41 AND plan IN ('gold', 'basic') AND a < 1.75"
    call = f"PREDICT({model}, *)" if "TARGET high" in _MODELS[model] else f"round(PREDICT({model}, *), 4)"
    try:
        spark.conf.set("spark.sqlml.engine", other)
        every = {row.id: row.said for row in spark.sql(f"SELECT id, {call} AS said FROM hard").collect()}
        spark.conf.set("spark.sqlml.engine", engine)
        found = spark.sql(f"SELECT id, {call} AS said FROM hard WHERE {where}").collect()
        assert len(found) > 100
        assert [row.said for row in found] == [every[row.id] for row in found]
    finally:
        spark.conf.set("spark.sqlml.engine", "compiled")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id, said FROM (SELECT id, age AS years, PREDICT(extreme, *) AS said FROM hard) WHERE years > 40",
        "SELECT id, PREDICT(extreme, *) AS said FROM hard WHERE PREDICT(extreme, *) > 3 AND plan = 'gold'",
        "SELECT max(PREDICT(extreme, *)) AS said, plan FROM hard WHERE age < 30 GROUP BY plan",
        "SELECT count(*) FROM hard WHERE PREDICT(extreme, *) > 3 AND age > 40",
        "SELECT l.id, PREDICT(extreme, l.*) AS said FROM hard l JOIN hard r ON l.id = r.id WHERE l.plan = 'gold'",
        "SELECT l.id, PREDICT(extreme, l.*) AS said FROM hard l LEFT JOIN hard r ON l.id = r.id WHERE l.age > 40",
        "SELECT id, PREDICT(extreme, *) AS said FROM (SELECT * EXCEPT (plan), 'gold' AS plan FROM hard) LIMIT 2000",
        "SELECT id, PREDICT(extreme, *) AS said FROM hard WHERE age = 41 ORDER BY id LIMIT 5",
    ],
)
def test_wherever_it_stands(spark: SparkSession, models: None, query: str) -> None:
    assert _smaller(_same(spark, query))


def test_what_an_outer_join_adds_was_not_filtered(spark: SparkSession, models: None) -> None:
    query = (
        "SELECT l.id, PREDICT(extreme, r.*) AS said FROM hard l"
        " LEFT JOIN (SELECT * FROM hard WHERE age > 40) r ON l.id = r.id"
    )
    assert not _smaller(_same(spark, query))


def test_partition_columns(spark: SparkSession, models: None) -> None:
    spark.sql("CREATE TABLE parted USING parquet PARTITIONED BY (plan) AS SELECT * FROM hard WHERE plan <> ''")
    try:
        (splits,) = _smaller(_same(spark, "SELECT id, PREDICT(extreme, *) FROM parted WHERE plan = 'gold'"))
        assert splits[0] < splits[1]
    finally:
        spark.sql("DROP TABLE parted")
