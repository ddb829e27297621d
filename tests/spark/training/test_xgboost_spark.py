"""XGBoost on the cluster: the same answers in SQL as by `xgboost.spark` itself, and chosen by size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sqlml.errors import SqlmlError
from sqlml.estimators import resolve
from sqlml.jobs.job import Fitted, Job
from sqlml.signature import Feature, Signature

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_FEATURES = {"x": "double", "whole": "bigint", "text": "string", "day": "date"}
_SMALL = {"n_estimators": 5, "max_depth": 3}


def _frame(spark: SparkSession) -> DataFrame:
    """Gaps, a number beyond float32's whole ones, texts with NULL; targets of all kinds."""
    return spark.sql("""
        SELECT IF(id % 7 = 0, NULL, sin(id)) AS x, 16777216 + id % 50 AS whole,
               element_at(array('a', 'b', NULL), 1 + int(id % 3)) AS text,
               date_add(DATE'2024-01-01', int(id % 90)) AS day,
               IF(sin(id) + id % 3 > 1, 'yes', 'no') AS two, int(id % 3) + int(sin(id) > 0.5) AS three,
               10 * sin(id) + id % 3 AS amount, 1 + id % 4 AS weight
        FROM range(300)
    """)


def _fit(spark: SparkSession, target: str, **changes: Any) -> Fitted:
    from sqlml.estimators.mllib import training as mllib

    frame = _frame(spark)
    kind = dict(frame.dtypes)[target]
    task = "regression" if target == "amount" else "classification"
    features = tuple(Feature(name, kind) for name, kind in _FEATURES.items())
    job = Job(
        estimator="xgboost.spark",
        signature=Signature(task, features, target, "double" if task == "regression" else kind),
        params={**_SMALL, **changes.pop("params", {})},
        seed=1,
        test_fraction=0.2,
        tolerance=1e-6,
        **changes,
    )
    return mllib.fit(job, frame, lambda line: None, lambda: False)


def test_the_size_decides_where_it_runs() -> None:
    for task in ("classification", "regression"):
        assert resolve("xgboost", task, "sklearn").name == "xgboost"
        assert resolve("xgboost", task, "mllib").name == "xgboost.spark"
        assert resolve("XGBoost.Spark", task, "sklearn").name == "xgboost.spark"
    assert resolve("XGBRegressor", "regression", "mllib").name == "xgboost.spark"
    assert resolve("SparkXGBClassifier", "classification", "sklearn").distributed


@pytest.mark.slow
@pytest.mark.parametrize("target", ["two", "three", "amount"])
def test_the_graph_says_what_xgboost_says(spark: SparkSession, target: str) -> None:
    """`fit` compares with the model's own `transform` on real and on hard rows, and refuses a difference."""
    fitted = _fit(spark, target, params={"num_workers": 2})
    assert fitted.fidelity.rows > 60 and fitted.fidelity.max_abs_diff <= 1e-6
    assert fitted.fidelity.label_mismatches == 0
    assert fitted.params["num_workers"] == 2 and fitted.params["n_estimators"] == 5
    assert fitted.library.startswith("XGBoost ")
    assert {column.impute for column in fitted.preparation.numbers} == {None}, "it takes gaps itself"
    assert fitted.metrics["r2" if target == "amount" else "accuracy"] > 0.7
    if target == "amount":
        assert _fit(spark, target, params={"num_workers": 2}).onnx == fitted.onnx, "same rows, same seed, same bytes"


@pytest.mark.slow
def test_options(spark: SparkSession) -> None:
    fitted = _fit(spark, "two", weight_column="weight", impute={"x": 0.5}, encode={"text": "ordinal"})
    assert fitted.preparation.numbers[0].impute == 0.5 and not fitted.preparation.categories
    assert fitted.params["num_workers"] == 1, "few rows need one"
    with pytest.raises(SqlmlError, match="objective can be") as caught:
        _fit(spark, "amount", params={"objective": "rank:pairwise"})
    assert caught.value.condition == "SQLML_OPTION_INVALID"
    with pytest.raises(SqlmlError, match=r"num_workers is 99, but the cluster can run only \d+ tasks"):
        _fit(spark, "amount", params={"num_workers": 99})
    with pytest.raises(SqlmlError, match="num_workers must be an integer from 1, not 0"):
        _fit(spark, "amount", params={"num_workers": 0})


@pytest.mark.slow
def test_in_sql(spark: SparkSession) -> None:
    _frame(spark).createOrReplaceTempView("for_xgboost")
    row = spark.sql(
        "TRAIN MODEL on_spark USING xgboost.spark TARGET amount FEATURES * EXCEPT (two, three, weight)"
        " OPTIONS (n_estimators = 20, test_fraction = 0) AS SELECT * FROM for_xgboost"
    ).first()
    assert row is not None and (row.estimator, row.engine) == ("xgboost.spark", "xgboost")
    again = spark.sql("SELECT sqrt(avg(pow(amount - PREDICT(on_spark, *), 2))) AS rmse FROM for_xgboost").first()
    assert again is not None and again.rmse == pytest.approx(row.metrics["rmse"], rel=1e-6)
    spark.sql("DROP MODEL on_spark")
