"""What a query reads and scores under each engine: the columns that the model uses, of the rows that are asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_COLUMNS = ", ".join(f"rand({place}) AS n{place}" for place in range(8))
_MADE = f"SELECT id, {_COLUMNS}, IF(id % 2 = 0, 'red', 'blue') AS colour FROM range(1000)"
_ROWS = f"SELECT *, 3 * n1 + IF(colour = 'red', 2D, 0D) AS y FROM ({_MADE})"


@pytest.fixture(scope="module")
def table(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Rows in Parquet files, and models that use two columns of nine."""
    folder: Path = tmp_path_factory.mktemp("used") / "rows"
    spark.sql(_ROWS).coalesce(2).write.parquet(str(folder))
    name = f"parquet.`{folder}`"
    train = "TRAIN MODEL {} USING sklearn.lasso TARGET y {} OPTIONS (alpha = 0.05) AS SELECT * EXCEPT (id) FROM " + name
    spark.sql(train.format("few", ""))
    spark.sql(train.format("few_too", ""))
    spark.sql(train.format("few_made", "TRANSFORM (n0 + n2 AS sum, n1 * 2 AS twice, upper(colour) AS colour)"))
    yield name
    for model in ("few", "few_too", "few_made"):
        spark.sql(f"DROP MODEL {model}")


@pytest.fixture(params=["compiled", "onnxruntime"])
def session(request: pytest.FixtureRequest, spark: SparkSession) -> SparkSession:
    """One that scores with an engine."""
    session = spark.newSession()
    session.conf.set("spark.sqlml.engine", request.param)
    return session


@pytest.fixture
def in_python(spark: SparkSession) -> SparkSession:
    session = spark.newSession()
    session.conf.set("spark.sqlml.engine", "onnxruntime")
    return session


def _plan(frame: DataFrame) -> str:
    return str(frame._jdf.queryExecution().executedPlan().toString())


def _read(frame: DataFrame) -> str:
    schemas = re.findall(r"ReadSchema: struct<(.*?)>", _plan(frame))
    assert len(schemas) == 1, schemas
    return " ".join(sorted(column.split(":")[0] for column in schemas[0].split(",")))


def test_only_used_columns_are_read(session: SparkSession, table: str) -> None:
    frame = session.sql(f"SELECT PREDICT(few, *) FROM {table}")
    assert frame.columns == ["predict(few, *)"]
    assert _read(frame) == "colour n1"
    engine = session.conf.get("spark.sqlml.engine")
    assert f"predict[few/1 {engine}, 2 of 9 features]" in _plan(frame)
    named = session.sql(
        f"SELECT max(PREDICT(few, {', '.join(f'n{place}' for place in range(8))}, colour)) FROM {table}"
    )
    assert named.columns == ["max(predict(few, n0, n1, n2, n3, n4, n5, n6, n7, colour))"]
    assert _read(named) == "colour n1"
    off = session.sql(f"SELECT max(abs(PREDICT(few, *) - y)) AS off FROM {table}").first()
    assert off is not None and off.off < 1.0


def test_no_more_is_read_under_a_transform(session: SparkSession, table: str) -> None:
    frame = session.sql(f"SELECT PREDICT(few_made, n0, n1, n2, colour) FROM {table}")
    assert frame.columns == ["predict(few_made, n0, n1, n2, colour)"]
    assert _read(frame) == "colour n1"
    assert "2 of 3 features" in _plan(frame)
    assert session.sql(f"SELECT PREDICT(few_made, *) AS p FROM {table} WHERE id < 3").count() == 3


def test_views_read_no_more(session: SparkSession, table: str) -> None:
    session.sql(f"CREATE VIEW scored AS SELECT *, PREDICT(few, *) AS p FROM {table}")
    session.sql(f"ENRICH TABLE (SELECT * FROM {table}) WITH MODEL few CREATE VIEW enriched")
    try:
        assert _read(session.sql("SELECT sum(p) FROM scored WHERE p > 1")) == "colour n1"
        assert _read(session.sql("SELECT max(predicted_y) FROM enriched")) == "colour n1"
    finally:
        session.sql("DROP VIEW scored")
        session.sql("DROP VIEW enriched")


def test_other_values_in_what_is_not_used_change_nothing(session: SparkSession, table: str) -> None:
    off = "n0 => CAST(NULL AS DOUBLE), n2 => double('NaN'), n3 => 1e300, n4 => 0, n5 => -1, n6 => n6, n7 => n7"
    query = (
        f"SELECT count(*) AS n FROM {table} WHERE PREDICT(few, *) <> PREDICT(few, n1 => n1, colour => colour, {off})"
    )
    found = session.sql(query).first()
    assert found is not None and found.n == 0


def test_equal_calls_are_one_however_they_are_written(in_python: SparkSession, table: str) -> None:
    written = "PREDICT(few, n0, n1, n2, n3, n4, n5, n6, n7, colour)"
    frame = in_python.sql(f"SELECT {written} AS p, count(*) FROM {table} GROUP BY {written} HAVING {written} > 1")
    assert _plan(frame).count("ArrowEvalPython [") == 1
    sorted_too = f"SELECT PREDICT(few, *) AS p FROM {table} WHERE {written} > 1 ORDER BY {written}"
    assert in_python.sql(sorted_too).count() > 0


def test_rows_that_a_filter_drops_are_not_scored(in_python: SparkSession, table: str) -> None:
    lines = _plan(in_python.sql(f"SELECT PREDICT(few, *) AS p FROM {table} WHERE n5 < 0.5")).splitlines()
    scoring, filtering = (
        next(at for at, line in enumerate(lines) if word in line) for word in ("ArrowEval", "Filter ")
    )
    assert scoring < filtering, "what stands lower in a plan runs first"


def test_a_limit_scores_no_more_than_it_returns(in_python: SparkSession, table: str) -> None:
    frame = in_python.sql(f"SELECT PREDICT(few, *) AS p FROM {table} LIMIT 10")
    assert len(frame.collect()) == 10
    lines = _plan(frame).splitlines()
    assert "Limit" in "".join(lines[next(at for at, line in enumerate(lines) if "ArrowEval" in line) + 1 :])


def test_three_models_are_one_exchange_with_python(in_python: SparkSession, table: str) -> None:
    frame = in_python.sql(f"SELECT PREDICT(few, *), PREDICT(few_too, *), PREDICT(few_made, *) FROM {table}")
    assert len(frame.collect()) == 1000
    assert _plan(frame).count("ArrowEvalPython [") == 1
