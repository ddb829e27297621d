"""Fitted pipelines of pyspark.ml as ONNX: what the graph predicts is what `transform` says."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers import fitted_models
from pyspark.ml import Pipeline
from pyspark.ml.classification import (
    GBTClassifier,
    LinearSVC,
    LogisticRegression,
    NaiveBayes,
    RandomForestClassifier,
)
from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.feature import (
    PCA,
    Binarizer,
    Bucketizer,
    ElementwiseProduct,
    HashingTF,
    Imputer,
    IndexToString,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    PolynomialExpansion,
    QuantileDiscretizer,
    RobustScaler,
    StandardScaler,
    StringIndexer,
    Tokenizer,
    VarianceThresholdSelector,
    VectorAssembler,
    VectorIndexer,
    VectorSlicer,
)
from pyspark.ml.linalg import Vectors
from pyspark.ml.regression import (
    DecisionTreeRegressor,
    GeneralizedLinearRegression,
    LinearRegression,
    RandomForestRegressor,
)
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
from pyspark.sql import DataFrame, SparkSession

import sqlml
from sqlml.conversion import converted
from sqlml.conversion.routes import route_of
from sqlml.errors import SqlmlError
from sqlml.importing import requested, sandbox
from sqlml.importing.loading import opened
from sqlml.importing.request import Imported

pytestmark = pytest.mark.slow

_SCHEMA = "age double, income double, plan string, vip boolean, visits bigint, y string, amount double"


@pytest.fixture(scope="module")
def frame(spark: SparkSession) -> Iterator[DataFrame]:
    rows = fitted_models.customers().assign(y=fitted_models.labels(), amount=fitted_models.amounts())
    found = spark.createDataFrame(rows.astype(object).where(rows.notna(), None), _SCHEMA).cache()
    yield found
    found.unpersist()


def _label() -> StringIndexer:
    return StringIndexer(inputCol="y", outputCol="label")


def _usual(invalid: str = "keep") -> list[Any]:
    """The stages of Spark's own guide: index, encode, fill, assemble, scale."""
    return [
        StringIndexer(inputCol="plan", outputCol="index", handleInvalid=invalid),
        OneHotEncoder(inputCols=["index"], outputCols=["encoded"], handleInvalid=invalid),
        Imputer(inputCols=["age", "income"], outputCols=["age_2", "income_2"]),
        VectorAssembler(inputCols=["age_2", "income_2", "encoded", "visits"], outputCol="raw"),
        StandardScaler(inputCol="raw", outputCol="features", withMean=True),
    ]


def _numbers(*stages: Any) -> Pipeline:
    """A regression behind stages that read the vector `raw` and write `features`."""
    for stage in stages:
        reads = stage.setFeaturesCol if stage.hasParam("featuresCol") else stage.setInputCol
        reads("raw")
        stage.setOutputCol("features")
    assembler = VectorAssembler(inputCols=["income", "visits"], outputCol="raw" if stages else "features")
    return Pipeline(stages=[assembler, *stages, LinearRegression(labelCol="amount")])


def _splits(invalid: str) -> Pipeline:
    """A tree that splits on categories."""
    indexer = StringIndexer(inputCol="plan", outputCol="index", handleInvalid=invalid)
    assembler = VectorAssembler(inputCols=["income", "index"], outputCol="features", handleInvalid=invalid)
    return Pipeline(stages=[indexer, assembler, DecisionTreeRegressor(labelCol="amount", maxDepth=6)])


def _buckets() -> Pipeline:
    return Pipeline(
        stages=[
            Bucketizer(splits=[-math.inf, 10.0, 30.0, math.inf], inputCol="income", outputCol="bucket"),
            QuantileDiscretizer(numBuckets=3, inputCol="visits", outputCol="third"),
            VectorAssembler(inputCols=["bucket", "third"], outputCol="features"),
            RandomForestRegressor(labelCol="amount", numTrees=3),
        ]
    )


def _searched() -> CrossValidator:
    model = LinearRegression(labelCol="amount")
    return CrossValidator(
        estimator=Pipeline(stages=[VectorAssembler(inputCols=["income"], outputCol="features"), model]),
        estimatorParamMaps=ParamGridBuilder().addGrid(model.regParam, [0.0, 0.1]).build(),
        evaluator=RegressionEvaluator(labelCol="amount"),
        numFolds=2,
    )


_CASES: dict[str, Callable[[], Any]] = {
    "logistic_regression": lambda: Pipeline(stages=[_label(), *_usual(), LogisticRegression()]),
    "labels_of_index_to_string": lambda: Pipeline(
        stages=[
            _label(),
            *_usual(),
            RandomForestClassifier(numTrees=5),
            IndexToString(inputCol="prediction", outputCol="shown", labels=["yes", "no"]),
        ]
    ),
    "boosted_trees": lambda: Pipeline(stages=[_label(), *_usual("error"), GBTClassifier(maxIter=3)]),
    "margins": lambda: Pipeline(stages=[_label(), *_usual(), LinearSVC(maxIter=5)]),
    "naive_bayes": lambda: Pipeline(
        stages=[_label(), VectorAssembler(inputCols=["income", "visits"], outputCol="features"), NaiveBayes()]
    ),
    "linear_regression": lambda: Pipeline(stages=[*_usual(), LinearRegression(labelCol="amount")]),
    "logarithmic_link": lambda: Pipeline(
        stages=[
            VectorAssembler(inputCols=["visits"], outputCol="features"),
            GeneralizedLinearRegression(labelCol="income", family="gamma", link="log"),
        ]
    ),
    "categories": lambda: _splits("keep"),
    "categories_or_nothing": lambda: _splits("skip"),
    "min_max": lambda: _numbers(MinMaxScaler(min=-1.0, max=2.0)),
    "max_abs": lambda: _numbers(MaxAbsScaler()),
    "robust": lambda: _numbers(RobustScaler(withCentering=True)),
    "norm": lambda: _numbers(Normalizer(p=1.5)),
    "products": lambda: _numbers(PolynomialExpansion(degree=3)),
    "principal": lambda: _numbers(PCA(k=1)),
    "sliced": lambda: _numbers(VectorSlicer(indices=[1])),
    "selected": lambda: _numbers(VarianceThresholdSelector(varianceThreshold=0.1)),
    "indexed_vector": lambda: _numbers(VectorIndexer(maxCategories=6, handleInvalid="keep")),
    "weighted": lambda: _numbers(ElementwiseProduct(scalingVec=Vectors.dense([2.0, 3.0]))),
    "binary": lambda: _numbers(Binarizer(threshold=2.0)),
    "buckets": _buckets,
    "searched": _searched,
}


def _converted(model: Any, example: Any) -> Imported:
    route = route_of(model)
    assert route is not None
    return converted(model, route, requested(target="y"), example=example, progress=lambda line: None)


@pytest.mark.parametrize("name", _CASES)
def test_the_graph_predicts_what_transform_says(name: str, frame: DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    # The comparison without a process of its own for each.
    monkeypatch.setattr(
        sandbox, "tried", lambda content, request, rows, native, **_: opened(content, request, rows, native)
    )
    known = frame.where("plan IS NOT NULL") if "error" in name or name == "boosted_trees" else frame
    model = _CASES[name]().fit(known)
    found = _converted(model, frame)
    assert found.fidelity.rows > 180
    assert found.fidelity.max_abs_diff < 1e-9
    assert found.library.endswith("converted by sqlml, float64")


def test_in_sql_it_says_the_same(spark: SparkSession, frame: DataFrame) -> None:
    model = _CASES["logistic_regression"]().fit(frame)
    sqlml.register_model("guide", model, example=frame, target="y")
    frame.createOrReplaceTempView("guide_rows")
    expected = model.transform(frame.fillna({"visits": 0})).toPandas()
    labels = model.stages[0].labels
    for engine in ("compiled", "onnxruntime"):
        spark.conf.set("spark.sqlml.engine", engine)
        scored = spark.sql("SELECT *, PREDICT(guide, *) AS label, PREDICT_PROBA(guide, *)['yes'] AS p FROM guide_rows")
        here: pd.DataFrame = scored.toPandas()
        assert here["label"].tolist() == [labels[int(index)] for index in expected["prediction"]]
        place = labels.index("yes")
        assert np.allclose(here["p"], [vector.toArray()[place] for vector in expected["probability"]], atol=1e-12)
    spark.conf.unset("spark.sqlml.engine")
    spark.sql("DROP MODEL guide")


_REFUSED: dict[str, tuple[Callable[[DataFrame], Any], str]] = {
    "unfitted": (lambda frame: _numbers(MaxAbsScaler()), "This Pipeline is not fitted"),
    "of_texts": (
        lambda frame: Pipeline(
            stages=[
                Tokenizer(inputCol="y", outputCol="words"),
                HashingTF(inputCol="words", outputCol="features", numFeatures=8),
                LinearRegression(labelCol="amount"),
            ]
        ).fit(frame),
        "cannot be converted by sqlml, float64: Tokenizer has no emitter; these stages have: Binarizer",
    ),
    "of_a_vector": (
        lambda frame: LinearRegression(labelCol="amount").fit(
            VectorAssembler(inputCols=["income"], outputCol="features").transform(frame)
        ),
        "reads the vector column features.*Register the PipelineModel that assembles the vector",
    ),
    "without_a_model": (
        lambda frame: Pipeline(stages=_usual()).fit(frame),
        "The PipelineModel has no model that predicts",
    ),
}


@pytest.mark.parametrize("name", _REFUSED)
def test_what_is_refused(name: str, frame: DataFrame) -> None:
    make, expected = _REFUSED[name]
    with pytest.raises(SqlmlError, match=f"(?s)SQLML_MODEL_REFUSED.*{expected}"):
        _converted(make(frame), frame)
