"""Clusters and anomalies of fitted scikit-learn models in SQL, under the names that TRAIN's have."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.fitted_models import frame
from pyspark.sql import SparkSession
from sklearn.cluster import KMeans
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sqlml

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("model", "column"),
    [(KMeans(3, random_state=0), "CENTROID_ID"), (IsolationForest(n_estimators=20, random_state=0), "is_anomaly")],
    ids=["clusters", "anomalies"],
)
def test_in_sql(spark: SparkSession, model: Any, column: str) -> None:
    rows = frame("age", "income", filled=True)
    pipeline = make_pipeline(StandardScaler(), model).fit(rows)
    expected = pipeline.predict(rows)
    wanted = (expected == -1).tolist() if column == "is_anomaly" else expected.tolist()
    sqlml.register_model("brought_groups", pipeline, example=rows)
    spark.createDataFrame(rows.reset_index()).createOrReplaceTempView("group_rows")
    for engine in ("compiled", "onnxruntime"):
        spark.conf.set("spark.sqlml.engine", engine)
        said = spark.sql("SELECT PREDICT(brought_groups, age, income) FROM group_rows ORDER BY index").collect()
        assert [row[0] for row in said] == wanted
    spark.conf.unset("spark.sqlml.engine")
    table = spark.sql("SELECT * FROM ML.PREDICT(MODEL brought_groups, TABLE group_rows) ORDER BY index").toPandas()
    assert table[column].tolist() == wanted
    assert sqlml.predict(rows, "brought_groups")[column].tolist() == wanted
    spark.sql("DROP MODEL brought_groups")
