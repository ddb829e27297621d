"""Views and SQL functions with PREDICT that stay: made in one session, read in another.

tests/spark/test_spark_versions.py runs this file on other versions of Spark too, which differ in what they let such an
object refer to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sqlml.parser.functions import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

# Each makes one object, and has a query of three rows over it: 1, 2 and 3 times two.
_OBJECTS = {
    "view": (
        "CREATE VIEW kept.view AS SELECT id, PREDICT(kept.line, id) AS p FROM kept.t",
        "SELECT p FROM kept.view ORDER BY id",
    ),
    "view_of_star": (
        "CREATE VIEW kept.view_of_star AS SELECT id, PREDICT(kept.line, *) AS p FROM (SELECT id, id AS x FROM kept.t)",
        "SELECT p FROM kept.view_of_star ORDER BY id",
    ),
    "view_of_view": (
        "CREATE VIEW kept.view_of_view AS SELECT v.*, ML_PREDICT('kept.line/1', id) AS q FROM kept.view AS v",
        "SELECT greatest(p, q) AS p FROM kept.view_of_view ORDER BY id",
    ),
    "view_of_cte": (
        "CREATE VIEW kept.view_of_cte AS WITH c AS (SELECT id, PREDICT(kept.line, x => id) AS p FROM kept.t)"
        " SELECT * FROM c WHERE p > 0",
        "SELECT p FROM kept.view_of_cte ORDER BY id",
    ),
    "view_of_table_function": (
        "CREATE VIEW kept.view_of_table_function AS"
        " SELECT id, predicted_y AS p FROM PREDICT('kept.line', TABLE(SELECT id, id AS x FROM kept.t))",
        "SELECT p FROM kept.view_of_table_function ORDER BY id",
    ),
    "view_of_bigquery": (
        "CREATE VIEW kept.view_of_bigquery AS"
        " SELECT * FROM ML.PREDICT(MODEL kept.line, (SELECT id, id AS x FROM kept.t))",
        "SELECT predicted_y AS p FROM kept.view_of_bigquery ORDER BY id",
    ),
    "view_of_tsql": (
        "CREATE VIEW kept.view_of_tsql AS SELECT d.id, p.score FROM PREDICT(MODEL = kept.line, DATA = kept.named AS d)"
        " WITH (score FLOAT) AS p",
        "SELECT score AS p FROM kept.view_of_tsql ORDER BY id",
    ),
    "view_of_outputs": (
        "CREATE VIEW kept.view_of_outputs AS SELECT id, PREDICT_OUTPUTS('kept.line', '{}', id).predicted_y AS p"
        " FROM kept.t",
        "SELECT p FROM kept.view_of_outputs ORDER BY id",
    ),
    "enriched": (
        "ENRICH TABLE kept.named WITH MODEL kept.line CREATE VIEW kept.enriched WITH PROVENANCE",
        "SELECT predicted_y * provenance.version AS p FROM kept.enriched ORDER BY id",
    ),
    "enriched_function": (
        "ENRICH TABLE kept.named WITH MODEL kept.line CREATE FUNCTION kept.enriched_function",
        "SELECT kept.enriched_function(x) AS p FROM kept.named ORDER BY id",
    ),
    "scalar_function": (
        "CREATE FUNCTION kept.scalar_function(a BIGINT) RETURNS DOUBLE RETURN PREDICT(kept.line, a)",
        "SELECT kept.scalar_function(id) AS p FROM kept.t ORDER BY id",
    ),
    "table_function": (
        "CREATE FUNCTION kept.table_function(least BIGINT) RETURNS TABLE (id BIGINT, p DOUBLE)"
        " RETURN SELECT id, PREDICT(kept.line, id) FROM kept.t WHERE id >= least",
        "SELECT p FROM table_function(1) ORDER BY id",
    ),
}


@pytest.fixture(scope="module")
def reader(spark: SparkSession) -> Iterator[SparkSession]:
    """A session that has made nothing, beside one that has made every object."""
    maker = spark.newSession()
    maker.sql("CREATE DATABASE kept")
    maker.sql("CREATE TABLE kept.t USING parquet AS SELECT id FROM range(1, 4)")
    maker.sql("CREATE VIEW kept.named AS SELECT id, id AS x FROM kept.t")
    maker.sql(
        "TRAIN MODEL kept.line USING linear_regression TARGET y OPTIONS (test_fraction = 0) AS"
        " SELECT id AS x, 2.0D * id AS y FROM range(20)"
    )
    for made, _ in _OBJECTS.values():
        maker.sql(made)
    session = spark.newSession()
    # Spark 4.0 takes no database in the name of a table function.
    session.sql("USE kept")
    yield session
    maker.sql("DROP DATABASE kept CASCADE")
    maker.sql("DROP MODEL kept.line")


@pytest.mark.parametrize("name", _OBJECTS)
def test_another_session_reads(reader: SparkSession, name: str) -> None:
    rows = reader.sql(_OBJECTS[name][1]).collect()
    assert [round(row.p, 6) for row in rows] == [2.0, 4.0, 6.0]


def test_a_view_with_probabilities(reader: SparkSession, spark: SparkSession) -> None:
    spark.sql(
        "TRAIN MODEL kept.parity USING sklearn.decision_tree TARGET odd OPTIONS (test_fraction = 0) AS"
        " SELECT id % 2 AS rest, id % 2 = 1 AS odd FROM range(20)"
    )
    spark.sql("CREATE VIEW kept.odds AS SELECT id, PREDICT_PROBA(kept.parity, id % 2)['true'] AS p FROM kept.t")
    assert [row.p for row in reader.sql("SELECT p FROM kept.odds ORDER BY id").collect()] == [1.0, 0.0, 1.0]
    spark.sql("DROP MODEL kept.parity")


def test_spark_knows_the_functions(reader: SparkSession) -> None:
    listed = {row.function for row in reader.sql("SHOW FUNCTIONS LIKE '*predict*'").collect()}
    assert set(FUNCTIONS) <= listed
    described = [row.function_desc for row in reader.sql("DESCRIBE FUNCTION predict").collect()]
    assert "Function: predict" in described


def test_a_temporary_object_does_not_get_into_a_view(spark: SparkSession) -> None:
    """Spark's own check still holds for what is temporary."""
    from pyspark.errors import AnalysisException

    session = spark.newSession()
    session.sql("CREATE TEMPORARY FUNCTION twice(x BIGINT) RETURNS BIGINT RETURN x * 2")
    with pytest.raises(AnalysisException, match="INVALID_TEMP_OBJ_REFERENCE"):
        session.sql("CREATE VIEW never_kept AS SELECT twice(id) AS x FROM range(3)")
