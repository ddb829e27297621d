"""Rivals that stay in Spark: our own engines, MLlib, XGBoost's estimator for Spark, SQL as text, and the floor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.data import ID, TARGET
from benchmarks.models import Trained
from benchmarks.udf_rivals import Scoring

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def sqlml(spark: SparkSession, trained: Trained) -> Scoring:
    def score(frame: DataFrame, name: str) -> DataFrame:
        text = f"SELECT *, PREDICT_PROBA({trained.name}, *)[1] AS {name} FROM {{frame}}"
        return spark.sql(text, frame=frame)

    return score


def labels(spark: SparkSession, trained: Trained, frame: DataFrame, name: str) -> DataFrame:
    """The same by PREDICT; what the rivals' labels are compared with."""
    return spark.sql(f"SELECT *, PREDICT({trained.name}, *) AS {name} FROM {{frame}}", frame=frame)


def floor(spark: SparkSession, trained: Trained) -> Scoring:
    """A sum of the columns that the model uses, of texts their lengths."""
    from pyspark.sql import functions as F

    def score(frame: DataFrame, name: str) -> DataFrame:
        numbers = [
            F.col(column) if column in trained.model.data.numbers else F.length(column) for column in trained.used
        ]
        return frame.withColumn(name, sum(numbers[1:], numbers[0]).cast("double"))

    return score


def scan_of_all(spark: SparkSession, trained: Trained) -> Scoring:
    """A sum of all that the query gives the model."""
    from pyspark.sql import functions as F

    def score(frame: DataFrame, name: str) -> DataFrame:
        numbers = [
            F.col(column) if column in trained.model.data.numbers else F.length(column) for column in trained.features
        ]
        return frame.withColumn(name, sum(numbers[1:], numbers[0]).cast("double"))

    return score


def mllib(spark: SparkSession, trained: Trained) -> Scoring:
    """MLlib's model of the same kind, size and rows; its prediction, which costs it least."""
    from pyspark.ml import Pipeline
    from pyspark.ml.classification import DecisionTreeClassifier, GBTClassifier, LogisticRegression
    from pyspark.ml.feature import OneHotEncoder, StandardScaler, StringIndexer, VectorAssembler

    data, options = trained.model.data, dict(trained.model.options)
    stages: list[Any] = []
    if data.texts:
        indices, codes = [f"{name}_index" for name in data.texts], [f"{name}_code" for name in data.texts]
        stages = [
            StringIndexer(inputCols=list(data.texts), outputCols=indices, handleInvalid="keep"),
            OneHotEncoder(inputCols=indices, outputCols=codes),
        ]
    else:
        codes = []
    stages.append(VectorAssembler(inputCols=[*data.numbers, *codes], outputCol="assembled"))
    common = {"labelCol": TARGET, "featuresCol": "assembled"}
    if trained.model.estimator == "sklearn.logistic_regression":
        stages.append(StandardScaler(inputCol="assembled", outputCol="scaled", withMean=not data.texts))
        lasso = {"elasticNetParam": 1.0, "regParam": 1 / (options["C"] * trained.model.rows)} if "C" in options else {}
        # It would scale a second time.
        stages.append(LogisticRegression(labelCol=TARGET, featuresCol="scaled", standardization=False, **lasso))
    elif trained.model.estimator == "sklearn.decision_tree":
        stages.append(DecisionTreeClassifier(maxDepth=options["max_depth"], **common))
    else:
        stages.append(GBTClassifier(maxIter=options["n_estimators"], maxDepth=options["max_depth"], seed=1, **common))
    model = _once(trained, "mllib", lambda: Pipeline(stages=stages).fit(trained.rows))
    return lambda frame, name: _only(model.transform(frame), frame, name)


def xgboost_spark(spark: SparkSession, trained: Trained) -> Scoring:
    """SparkXGBClassifier with the same options on the same rows, its inputs as columns and not as a vector."""
    from xgboost.spark import SparkXGBClassifier, SparkXGBClassifierModel

    place = trained.place / "xgboost_spark"
    if not place.exists():
        estimator = SparkXGBClassifier(
            features_col=list(trained.features), label_col=TARGET, num_workers=1, **trained.model.options
        )
        estimator.fit(trained.rows).write().overwrite().save(str(place))
    model = SparkXGBClassifierModel.load(str(place))
    return lambda frame, name: _only(model.transform(frame), frame, name)


def orbital(spark: SparkSession, trained: Trained) -> Scoring:
    """orbital's SELECT, made in an environment of its own."""
    from benchmarks.orbital import select

    text = select(trained)

    def score(frame: DataFrame, name: str) -> DataFrame:
        view = f"orbital_{trained.digest[:16]}"
        frame.createOrReplaceTempView(view)
        return spark.sql(text.format(table=view, name=name))

    return score


def exported(spark: SparkSession, trained: Trained) -> Scoring:
    """What EXPORT MODEL … FORMAT sql writes, as a subquery."""
    from sqlml.compiler import select
    from sqlml.registry import Registry

    version = Registry(spark.conf.get("spark.sqlml.registry.uri")).load(trained.name)
    view = f"exported_{trained.digest[:16]}"
    text = select(
        version.onnx(),
        version.signature,
        version.transform,
        dialect="spark",
        table=view,
        columns=[ID],
        estimator=version.estimator,
    )

    def score(frame: DataFrame, name: str) -> DataFrame:
        frame.createOrReplaceTempView(view)
        return spark.sql(f"SELECT {ID}, probability_1 AS {name} FROM ({text})")

    return score


def _only(scored: DataFrame, frame: DataFrame, name: str) -> DataFrame:
    return scored.select(*frame.columns, scored["prediction"].alias(name))


def _once(trained: Trained, name: str, fit: Any) -> Any:
    from pyspark.ml import PipelineModel

    place = trained.place / name
    if not place.exists():
        fit().write().overwrite().save(str(place))
    return PipelineModel.load(str(place))
