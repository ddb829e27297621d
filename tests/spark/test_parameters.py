"""Parameters of `spark.sql(text, args=…)` in sqlml's statements. test_spark_versions.py runs this file on other
versions of Spark too, which bind them when they parse a statement or when they analyze it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pyspark.errors import AnalysisException, ParseException

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession


@pytest.fixture(scope="module")
def session(spark: SparkSession) -> Iterator[SparkSession]:
    session = spark.newSession()
    session.sql("CREATE TEMPORARY VIEW bought AS SELECT id, id * 2.0D AS y, 'a' AS c FROM range(60)")
    yield session
    for name in ("named_values", "listed_values"):
        session.sql(f"DROP MODEL IF EXISTS {name}")


def _created(session: SparkSession, name: str) -> str:
    (row,) = session.sql(f"SHOW CREATE MODEL {name}").collect()
    return str(row[0])


def _train(session: SparkSession, text: str, args: Any) -> None:
    assert len(session.sql(text, args=args).collect()) == 1


def test_named_values_in_the_name_the_options_and_the_query(session: SparkSession) -> None:
    text = (
        "TRAIN MODEL IDENTIFIER(:m) USING linear_regression TARGET y OPTIONS (seed = :s)"
        " AS SELECT id, y FROM bought WHERE id < :n AND c = :c"
    )
    _train(session, text, {"m": "named_values", "s": 7, "n": 40, "c": "a"})
    created = _created(session, "named_values")
    assert "seed = 7" in created
    assert created.endswith("WHERE id < 40 AND c = 'a'")
    session.sql("RETRAIN MODEL named_values")


def test_values_by_position(session: SparkSession) -> None:
    text = (
        "TRAIN MODEL listed_values USING linear_regression TARGET y AS SELECT id, y FROM bought WHERE id < ? AND c = ?"
    )
    _train(session, text, [30, "a"])
    assert _created(session, "listed_values").endswith("WHERE id < 30 AND c = 'a'")
    session.sql("ALTER MODEL listed_values SET TAGS (note = ?)", args=["it's :x ?"])
    (row,) = session.sql("SELECT tags['note'] FROM sqlml.models WHERE name = 'listed_values'").collect()
    assert row[0] == "it's :x ?"


def test_a_variable_is_a_value(session: SparkSession) -> None:
    session.sql("DECLARE OR REPLACE VARIABLE most BIGINT DEFAULT 40")
    text = "TRAIN MODEL named_values USING linear_regression TARGET y AS SELECT id, y FROM bought WHERE id < :most"
    session.sql(f"EXECUTE IMMEDIATE '{text}' USING most").collect()
    created = _created(session, "named_values")
    session.sql("DROP TEMPORARY VARIABLE most")
    assert created.removesuffix("L").endswith("WHERE id < 40")


@pytest.mark.parametrize("text", ["LIKE ?' USING 'listed*'", "LIKE :k' USING 'listed*' AS k"])
def test_execute_immediate(session: SparkSession, text: str) -> None:
    rows = session.sql(f"EXECUTE IMMEDIATE 'SHOW MODELS {text}").collect()
    assert [row[0] for row in rows] == ["listed_values"]


def test_a_marker_in_a_text_is_none(session: SparkSession) -> None:
    session.sql("ALTER MODEL listed_values SET TAGS (note = 'a ? b :c')")


@pytest.mark.parametrize("args", [None, {"other": 1}])
def test_a_value_that_is_missing(session: SparkSession, args: Any) -> None:
    with pytest.raises((ParseException, AnalysisException)) as raised:
        session.sql("ALTER MODEL listed_values SET TAGS (note = :note)", args=args)
    assert raised.value.getCondition() in ("SQLML_SYNTAX_ERROR", "UNBOUND_SQL_PARAMETER")


def test_a_mistake_in_a_statement_with_values_has_its_position(session: SparkSession) -> None:
    with pytest.raises(ParseException, match=r"SQLML_SYNTAX_ERROR[\s\S]*line 1, pos 40"):
        session.sql("ALTER MODEL listed_values SET TAGS (note: :note)", args={"note": "x"})
