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
