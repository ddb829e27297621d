"""A SQLTransformer of a pipeline is the TRANSFORM clause of the version: PREDICT takes the columns that it reads."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from helpers import fitted_models
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.feature import Bucketizer, SQLTransformer, StringIndexer, VectorAssembler
from pyspark.ml.regression import LinearRegression
from pyspark.sql import DataFrame, SparkSession

import sqlml
from sqlml.errors import SqlmlError

pytestmark = pytest.mark.slow

_RATIO = "SELECT *, income / (visits + 1) AS ratio, upper(plan) AS plan_2 FROM __THIS__"


@pytest.fixture(scope="module")
def frame(spark: SparkSession) -> Iterator[DataFrame]:
    rows = fitted_models.customers().assign(amount=fitted_models.amounts())
    plain = rows.astype(object).where(rows.notna(), None)
    found = spark.createDataFrame(
        plain, "age double, income double, plan string, vip boolean, visits bigint, amount double"
    ).cache()
    yield found
    found.unpersist()


def _pipeline(*statements: str) -> Pipeline:
    return Pipeline(
        stages=[
            *(SQLTransformer(statement=statement) for statement in statements),
            StringIndexer(inputCol="plan_2", outputCol="index", handleInvalid="keep"),
            VectorAssembler(inputCols=["ratio", "visits", "index"], outputCol="features", handleInvalid="skip"),
            LinearRegression(labelCol="amount"),
        ]
    )


@pytest.mark.parametrize("kind", ["spark", "pandas"])
def test_it_is_the_transform_clause(spark: SparkSession, frame: DataFrame, kind: str) -> None:
    model = _pipeline(_RATIO).fit(frame)
    example = frame if kind == "spark" else frame.toPandas()
    sqlml.register_model("by_ratio", model, example=example, target="amount")
    # The columns that the expressions read, and no others.
    frame.select("visits", "income", "plan").createOrReplaceTempView("ratio_rows")
    expected = [row["prediction"] for row in model.transform(frame).collect()]
    for engine in ("compiled", "onnxruntime"):
        spark.conf.set("spark.sqlml.engine", engine)
        said = [row[0] for row in spark.sql("SELECT PREDICT(by_ratio, *) FROM ratio_rows").collect()]
        assert np.allclose(said, expected, atol=1e-9)
    spark.conf.unset("spark.sqlml.engine")
    (none,) = spark.sql("SELECT PREDICT(by_ratio, income => NULL, visits => 1, plan => 'pro')").collect()[0]
    assert none is None
    spark.sql("DROP MODEL by_ratio")


def test_it_is_the_first_stage_of_the_prediction(frame: DataFrame) -> None:
    """Behind a stage it would change what that one reads; the labels' indexer does not matter."""
    again = SQLTransformer(statement="SELECT * EXCEPT (income), ln(income) AS income FROM __THIS__")
    bucket = Bucketizer(splits=[-math.inf, 10.0, 30.0, math.inf], inputCol="income", outputCol="bucket")
    assembler = VectorAssembler(inputCols=["income", "bucket"], outputCol="features")
    model = Pipeline(stages=[bucket, again, assembler, LinearRegression(labelCol="amount")]).fit(frame)
    with pytest.raises(SqlmlError, match="stands behind the stage Bucketizer, and a TRANSFORM"):
        sqlml.register_model("refused", model, example=frame, target="amount")


def test_it_reads_columns_of_the_example_alone(frame: DataFrame) -> None:
    model = _pipeline(_RATIO).fit(frame)
    with pytest.raises(SqlmlError, match=r"SQLML_TRANSFORM_INVALID.*cannot be computed from the example's columns"):
        sqlml.register_model("refused", model, example=frame.drop("income"), target="amount")


@pytest.mark.parametrize(
    ("statements", "condition", "message"),
    [
        (
            ("SELECT * FROM __THIS__", _RATIO),
            "SQLML_MODEL_REFUSED",
            "The pipeline has 2 stages SQLTransformer.*Write their expressions into one statement",
        ),
        (
            ("SELECT income AS ratio, plan AS plan_2, visits, amount FROM __THIS__ WHERE income > 3",),
            "SQLML_MODEL_REFUSED",
            "only a select list can be computed row by row.*without WHERE",
        ),
        (
            ("SELECT *, rank() OVER (ORDER BY income) AS ratio, plan AS plan_2 FROM __THIS__",),
            "SQLML_TRANSFORM_INVALID",
            "window",
        ),
    ],
    ids=["two", "a filter", "a window"],
)
def test_what_is_refused(frame: DataFrame, statements: tuple[str, ...], condition: str, message: str) -> None:
    model = _pipeline(*statements).fit(frame)
    assert isinstance(model, PipelineModel)
    with pytest.raises(SqlmlError, match=f"(?s){condition}.*{message}"):
        sqlml.register_model("refused", model, example=frame, target="amount")
