"""How good a fitted MLlib model is, measured by Spark where the rows are, in scikit-learn's definitions."""

from __future__ import annotations

import math
import sys
from collections import Counter

from pyspark.ml.evaluation import (
    BinaryClassificationEvaluator,
    ClusteringEvaluator,
    MulticlassClassificationEvaluator,
    RegressionEvaluator,
)
from pyspark.ml.functions import vector_to_array
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.storagelevel import StorageLevel

from sqlml.estimators import mllib_ranks

# The evaluators' `getMetrics`, which Python has no name for, reads the rows once where `evaluate` reads them for
# every metric. The evaluator stays in a variable: when Python drops it, the JVM's object goes too.


def classification(scored: DataFrame, *, classes: int, measured: int, probabilities: bool = True) -> dict[str, float]:
    """Metrics of a classifier; precision, recall and F1 are means over the classes, weighted by their rows.

    Args:
        scored: `label` and `prediction` (positions of classes) and `probability` or else `rawPrediction`; cached, as it
            is read several times.
        classes: how many the model knows.
        measured: how many the rows have; the areas under curves need both of two.
        probabilities: whether the scores are that, so that log_loss is measured.
    """
    evaluator = MulticlassClassificationEvaluator()
    found = evaluator._java_obj.getMetrics(scored._jdf)
    metrics = {
        "accuracy": found.accuracy(),
        "precision": found.weightedPrecision(),
        "recall": found.weightedRecall(),
        "f1": found.weightedFMeasure(),
        **_of_confusion(scored),
    }
    if probabilities:
        # scikit-learn clips a probability at the machine epsilon before the logarithm; MLlib's default is 1e-15.
        metrics["log_loss"] = found.logLoss(sys.float_info.epsilon)
    if probabilities and classes == 2:
        second = vector_to_array("probability")[1]
        (metrics["brier"],) = scored.agg(F.avg((second - F.col("label")) ** 2)).first() or (math.nan,)
    if classes == 2 and measured == 2:
        # numBins 0 takes every distinct score as a threshold: the exact area.
        scores = "probability" if probabilities else "rawPrediction"
        metrics["roc_auc"] = BinaryClassificationEvaluator(rawPredictionCol=scores, numBins=0).evaluate(scored)
        metrics["pr_auc"] = _average_precision(scored.select("label", vector_to_array(scores)[1].alias("score")))
    return metrics


def _average_precision(scored: DataFrame) -> float:
    """The mean over the rows of the second class of the precision among the rows that score as much or more.

    The running counts are added up within Spark's partitions, which are ranges of the score, and over them here.
    """
    by_score = scored.groupBy("score").agg(F.sum("label").alias("right"), F.count(F.lit(1)).alias("said"))
    ordered = by_score.orderBy(F.desc("score")).withColumn("part", F.spark_partition_id())
    ordered = ordered.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        totals = ordered.groupBy("part").agg(F.sum("right"), F.sum("said")).orderBy("part").collect()
        right_before: dict[int, float] = {}
        said_before: dict[int, float] = {}
        right = said = 0.0
        for part, right_here, said_here in totals:
            right_before[part], said_before[part] = right, said
            right, said = right + right_here, said + said_here
        upto = Window.partitionBy("part").orderBy(F.desc("score"))
        all_right = F.sum("right").over(upto) + _by_part(right_before)
        all_said = F.sum("said").over(upto) + _by_part(said_before)
        terms = ordered.select((F.col("right") * all_right / all_said).alias("term"))
        (total,) = terms.agg(F.sum("term")).first() or (math.nan,)
        return float(total / right)
    finally:
        ordered.unpersist()


def _by_part(values: dict[int, float]) -> Column:
    last = max(values)
    return F.get(F.array(*[F.lit(float(values.get(part, 0.0))) for part in range(last + 1)]), F.col("part"))


def _of_confusion(scored: DataFrame) -> dict[str, float]:
    """Balanced accuracy, the mean of the recalls of the classes that occur, and Matthews' correlation coefficient
    (Gorodkin, 2004): both from how often which class was said of which."""
    pairs = scored.groupBy("label", "prediction").count().collect()
    counts = {(row["label"], row["prediction"]): row["count"] for row in pairs}
    actual, chosen = Counter[float](), Counter[float]()
    for (label, prediction), count in counts.items():
        actual[label] += count
        chosen[prediction] += count
    rows = actual.total()
    right = sum(counts.get((label, label), 0) for label in actual)
    recalls = [counts.get((label, label), 0) / count for label, count in actual.items()]
    both = sum(count * chosen[label] for label, count in actual.items())
    spread = (rows**2 - sum(n**2 for n in actual.values())) * (rows**2 - sum(n**2 for n in chosen.values()))
    mcc = (right * rows - both) / math.sqrt(spread) if spread else 0.0
    return {"balanced_accuracy": sum(recalls) / len(recalls), "mcc": mcc}


def clustering(scored: DataFrame) -> dict[str, float]:
    """How many clusters occur, and how well they hold together and apart: MLlib's silhouette is of squared distances,
    which it can add up in one pass; it needs two clusters.

    Args:
        scored: `x` and `prediction`; cached.
    """
    (count,) = scored.agg(F.count_distinct("prediction")).first() or (0,)
    found = {"clusters": float(count)}
    if count > 1:
        found["silhouette_squared"] = ClusteringEvaluator(featuresCol="x").evaluate(scored)
    return found


def regression(scored: DataFrame, *, rows: int) -> dict[str, float]:
    """Metrics of a regressor; R² of a constant target is 1 where every prediction is right and 0 otherwise.

    Args:
        scored: `label` and `prediction`; cached.
        rows: how many it has.
    """
    evaluator = RegressionEvaluator()
    found = evaluator._java_obj.getMetrics(scored._jdf)
    rmse, r2 = found.rootMeanSquaredError(), found.r2()
    if not math.isfinite(r2):
        r2 = 1.0 if rmse == 0.0 else 0.0
    residual, actual = F.col("label") - F.col("prediction"), F.abs("label")
    # scikit-learn divides by the machine epsilon where the target is 0.
    share = F.abs(residual) / F.greatest(actual, F.lit(sys.float_info.epsilon))
    aggregates = (F.avg(share), F.var_pop(residual), F.var_pop("label"))
    mape, unexplained, spread = scored.agg(*aggregates).first() or (math.nan, math.nan, math.nan)
    explained = 1.0 - unexplained / spread if spread else float(unexplained == 0.0)
    return {
        "rmse": rmse,
        "mae": found.meanAbsoluteError(),
        "r2": r2,
        "explained_variance": explained,
        "mape": mape,
        "median_absolute_error": mllib_ranks.medians(scored, [F.abs(residual)], [rows])[0],
    }
