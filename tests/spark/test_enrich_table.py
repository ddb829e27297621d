"""ENRICH TABLE with Spark: what golden files cannot say, because one statement's answer is the next one's text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow


def test_what_show_sql_shows_is_what_the_view_says(spark: SparkSession) -> None:
    """A model with a TRANSFORM: its inputs are mapped, not its features."""
    spark.sql(
        "TRAIN MODEL shop.sizes USING sklearn.decision_tree TARGET big TRANSFORM (width * height AS area, big)"
        " OPTIONS (max_depth = 3) AS"
        " SELECT id % 7 AS width, id % 11 AS height, id % 7 * (id % 11) > 20 AS big FROM range(200)"
    )
    spark.sql("CREATE OR REPLACE TEMPORARY VIEW boxes AS SELECT id, id % 7 AS boxWidth, id % 11 AS h FROM range(50)")
    said = "ENRICH TABLE boxes AS b WITH MODEL shop.sizes MAP (height = b.h) OUTPUT (prediction, score AS p) {}"
    [shown] = spark.sql(said.format("SHOW SQL")).collect()
    assert "width => b.boxWidth /* similar name, 0.95 */" in shown.sql
    made = spark.sql(said.format("CREATE OR REPLACE TEMPORARY VIEW big_boxes")).collect()[0]
    assert made.mapping[1].asDict() == {"feature": "height", "expression": "b.h", "method": "given", "score": None}
    by_hand = spark.sql(shown.sql).orderBy("id").collect()
    assert by_hand == spark.sql("SELECT * FROM big_boxes ORDER BY id").collect()
    predicted = spark.sql("SELECT id, PREDICT(shop.sizes, width => boxWidth, height => h) AS p FROM boxes ORDER BY id")
    assert [row.predicted_big for row in by_hand] == [row.p for row in predicted.collect()]
    spark.sql("DROP VIEW big_boxes")
    spark.sql("DROP MODEL shop.sizes")


def test_a_function_gives_all_that_is_asked_for(spark: SparkSession) -> None:
    spark.sql(
        "TRAIN MODEL shop.line USING sklearn.linear_regression TARGET y AS SELECT id AS x, 2.0D * id AS y FROM range(9)"
    )
    spark.sql(
        "ENRICH TABLE (SELECT 1L AS x, 'a' AS other) AS d WITH MODEL shop.line MAP (x = d.x + 1)"
        " OUTPUT (prediction AS `it's` DECIMAL(9, 3)) CREATE TEMPORARY FUNCTION doubled WITH PROVENANCE"
    )
    [row] = spark.sql("SELECT doubled(4L) AS d").collect()
    assert (str(row.d["it's"]), row.d.provenance.model, row.d.provenance.version) == ("10.000", "shop.line", 1)
    spark.sql("DROP TEMPORARY FUNCTION doubled")
    spark.sql("DROP MODEL shop.line")


def test_a_name_with_what_looks_like_a_variable_is_a_name(spark: SparkSession) -> None:
    """Spark substitutes `${x}` in the text that a user writes, in names too; in what we write of them it must not."""
    session = spark.newSession()
    session.sql("CREATE DATABASE IF NOT EXISTS dollars")
    lines = session.range(20).selectExpr("id", "id % 3", "2.0D * id").toDF("${x}3", "a${env:HOME}", "y")
    lines.write.mode("overwrite").saveAsTable("dollars.lines")
    trained = session.sql("TRAIN MODEL dollars.line USING linear_regression TARGET y AS SELECT * FROM dollars.lines")
    assert trained.collect()[0]["features"] == 2
    session.conf.set("dollars.table", "dollars.lines")
    enrich = "ENRICH TABLE (SELECT * FROM ${dollars.table}) WITH MODEL dollars.line CREATE"
    session.sql(f"{enrich} OR REPLACE VIEW dollars.seen").collect()
    session.sql(f"{enrich} TABLE dollars.kept").collect()
    with pytest.raises(Exception, match=r"SQLML_NOT_SUPPORTED.*parameter `\$\{x\}3`.* AS x, "):
        session.sql(f"{enrich} FUNCTION dollars.said").collect()
    assert session.conf.get("spark.sql.variable.substitute") == "true"
    other = spark.newSession()
    expected = [2.0 * number for number in range(20)]
    for name in ("seen", "kept"):
        found = other.table(f"dollars.{name}").orderBy("y").select("predicted_y").collect()
        assert [row[0] for row in found] == pytest.approx(expected, abs=1e-9)
    session.sql("DROP DATABASE dollars CASCADE")
    session.sql("DROP MODEL dollars.line")


def test_another_catalog_gets_tables_and_says_where_views_go(spark: SparkSession) -> None:
    """A database behind JDBC, Derby in this process: it keeps no views, no functions, no properties, and stages no
    table. Its names are in capitals, since Spark renames its tables without quotes."""
    session = spark.newSession()
    catalog = "spark.sql.catalog.derby"
    session.conf.set(catalog, "org.apache.spark.sql.execution.datasources.v2.jdbc.JDBCTableCatalog")
    session.conf.set(f"{catalog}.url", "jdbc:derby:memory:shop;create=true")
    session.conf.set(f"{catalog}.driver", "org.apache.derby.iapi.jdbc.AutoloadedDriver")
    session.sql("CREATE NAMESPACE derby.SHOP")
    session.sql("CREATE TABLE derby.SHOP.FACTS AS SELECT id AS x FROM range(5)")
    line = "SELECT id AS x, 2.0D * id AS y FROM range(9)"
    session.sql(f"TRAIN MODEL shop.line USING sklearn.linear_regression TARGET y AS {line}")

    def says(deed: str, source: str = "derby.SHOP.FACTS") -> str:
        return f"ENRICH TABLE {source} WITH MODEL shop.line {deed}"

    def total(table: str) -> tuple[int, float]:
        [row] = session.sql(f"SELECT count(*) AS rows, round(sum(predicted_y), 6) AS sum FROM {table}").collect()
        return row.rows, row.sum

    [made] = session.sql(says("CREATE TABLE derby.SHOP.SCORED")).collect()
    assert (made.name, made.rows, total(made.name)) == ("derby.SHOP.SCORED", 5, (5, 20.0))
    session.sql(says("INSERT INTO derby.SHOP.SCORED"))
    assert total("derby.SHOP.SCORED") == (10, 40.0)
    # What cannot be scored leaves the old table alone, which CREATE OR REPLACE of Spark's own would drop first.
    broken = "(SELECT x, CAST(raise_error('no such row') AS INT) AS z FROM derby.SHOP.FACTS)"
    with pytest.raises(Exception, match="no such row"):
        session.sql(says("CREATE OR REPLACE TABLE derby.SHOP.SCORED", broken))
    assert total("derby.SHOP.SCORED") == (10, 40.0)
    session.sql(says("CREATE OR REPLACE TABLE derby.SHOP.SCORED"))
    assert total("derby.SHOP.SCORED") == (5, 20.0)
    listed = session.sql("SHOW ENRICHMENTS LIKE 'derby*'").collect()
    assert [(row.name, row.kind, row.exists) for row in listed] == [("derby.SHOP.SCORED", "table", True)]

    for deed, kinds in (("CREATE VIEW derby.SHOP.V", "views"), ("CREATE FUNCTION derby.SHOP.F", "functions")):
        refused = rf"SQLML_NOT_SUPPORTED. The catalog derby does not support {kinds}. Create it in spark_catalog"
        with pytest.raises(Exception, match=refused):
            session.sql(says(deed))
    with pytest.raises(Exception, match=r"SQLML_NOT_SUPPORTED. The database of this catalog has no type for struct"):
        session.sql(says("CREATE TABLE derby.SHOP.PROVEN WITH PROVENANCE"))
    # A view of the session's own catalog, from inside of the other one.
    session.sql("USE derby.SHOP")
    session.sql(says("CREATE OR REPLACE VIEW spark_catalog.default.from_derby", "FACTS"))
    session.sql("USE spark_catalog.default")
    assert total("from_derby") == (5, 20.0)
    session.sql("DROP VIEW from_derby")
    session.sql("DROP MODEL shop.line")
