"""Metrics of a fitted MLlib model, computed by Spark with scikit-learn's definitions."""

from __future__ import annotations

import math
import sys
from collections import Counter

from pyspark.ml.evaluation import (
    ClusteringEvaluator,
    MulticlassClassificationEvaluator,
    RegressionEvaluator,
)
from pyspark.ml.functions import vector_to_array
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.storagelevel import StorageLevel

from sqlml.estimators.mllib import ranks

# Up to this many distinct scores are summed up in the driver.
_FEW_SCORES = 100_000

# The evaluators' `getMetrics`, which has no Python name, reads the rows once, while `evaluate` reads them for each
# metric. The evaluator must stay in a variable: when Python drops it, its JVM object is freed too.


def classification(scored: DataFrame, *, classes: int, measured: int, probabilities: bool = True) -> dict[str, float]:
    """Metrics of a classifier. Precision, recall and F1 are means over the classes, weighted by their rows.

    Args:
        scored: `label` and `prediction` (class indices) and `probability` or else `rawPrediction`; cached, because it
            is read several times.
        classes: the number of the model's classes.
        measured: the number of classes in these rows; areas under curves need two.
        probabilities: True if the scores are probabilities, so that log_loss is measured.
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
        scores = "probability" if probabilities else "rawPrediction"
        metrics |= _areas(scored.select("label", vector_to_array(scores)[1].alias("score")))
    return metrics


def _areas(scored: DataFrame) -> dict[str, float]:
    """The area under the ROC curve, by the trapezoidal rule over all distinct scores, and the average precision: the
    mean, over the rows of the second class, of the precision at their score.

    Args:
        scored: `label`, 0 or 1, and `score`.
    """
    counted = scored.groupBy("score").agg(F.sum("label").alias("right"), F.sum(1.0 - F.col("label")).alias("wrong"))
    few = counted.orderBy(F.desc("score")).limit(_FEW_SCORES + 1).toArrow()
    if few.num_rows > _FEW_SCORES:
        right, wrong, pairs, precisions = _summed_where_they_are(counted)
    else:
        rights, wrongs = few["right"].to_numpy(), few["wrong"].to_numpy()
        right_so_far, wrong_so_far = rights.cumsum(), wrongs.cumsum()
        right, wrong = rights.sum(), wrongs.sum()
        pairs = (wrongs * (right_so_far - rights / 2)).sum()
        precisions = (rights * right_so_far / (right_so_far + wrong_so_far)).sum()
    return {"roc_auc": float(pairs / (right * wrong)), "pr_auc": float(precisions / right)}


def _summed_where_they_are(counted: DataFrame) -> tuple[float, float, float, float]:
    """Positives, negatives, correctly ordered pairs and the sum of precisions, summed up by Spark.

    Partitions are ranges of the score. Cumulated counts are window sums within a partition plus the totals of the
    partitions before it.
    """
    ordered = counted.orderBy(F.desc("score")).withColumn("part", F.spark_partition_id())
    ordered = ordered.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        totals = ordered.groupBy("part").agg(F.sum("right"), F.sum("wrong")).orderBy("part").collect()
        before: dict[int, tuple[float, float]] = {}
        right = wrong = 0.0
        for part, right_here, wrong_here in totals:
            before[part] = (right, wrong)
            right, wrong = right + right_here, wrong + wrong_here
        upto = Window.partitionBy("part").orderBy(F.desc("score"))
        right_so_far = F.sum("right").over(upto) + _by_part({part: pair[0] for part, pair in before.items()})
        wrong_so_far = F.sum("wrong").over(upto) + _by_part({part: pair[1] for part, pair in before.items()})
        terms = ordered.select(
            (F.col("wrong") * (right_so_far - F.col("right") / 2)).alias("pairs"),
            (F.col("right") * right_so_far / (right_so_far + wrong_so_far)).alias("precisions"),
        )
        pairs, precisions = terms.agg(F.sum("pairs"), F.sum("precisions")).first() or (math.nan, math.nan)
    finally:
        ordered.unpersist()
    return right, wrong, pairs, precisions


def _by_part(values: dict[int, float]) -> Column:
    """A column with a number for each partition."""
    offsets = [F.lit(values.get(part, 0.0)) for part in range(max(values) + 1)]
    return F.get(F.array(*offsets), F.col("part"))


def _of_confusion(scored: DataFrame) -> dict[str, float]:
    """Balanced accuracy (the mean recall of the classes that occur) and the Matthews correlation coefficient (Gorodkin,
    2004), both from the confusion matrix."""
    counts = pairs(scored)
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


def pairs(scored: DataFrame) -> dict[tuple[float, float], int]:
    """The confusion matrix: the number of rows by (`label`, `prediction`)."""
    counted = scored.groupBy("label", "prediction").count().collect()
    return {(row["label"], row["prediction"]): row["count"] for row in counted}


def clustering(scored: DataFrame) -> dict[str, float]:
    """The number of clusters that occur and, with two or more, MLlib's silhouette, which uses squared distances so that
    one pass is enough.

    Args:
        scored: `x` and `prediction`; cached.
    """
    (count,) = scored.agg(F.count_distinct("prediction")).first() or (0,)
    found = {"clusters": float(count)}
    if count > 1:
        found["silhouette_squared"] = ClusteringEvaluator(featuresCol="x").evaluate(scored)
    return found


def regression(scored: DataFrame, *, rows: int) -> dict[str, float]:
    """Metrics of a regressor. R² of a constant target is 1 if every prediction is right and 0 otherwise. `mape` is left
    out if a target is 0.

    Args:
        scored: `label` and `prediction`; cached.
        rows: the number of rows.
    """
    evaluator = RegressionEvaluator()
    found = evaluator._java_obj.getMetrics(scored._jdf)
    rmse, r2 = found.rootMeanSquaredError(), found.r2()
    if not math.isfinite(r2):
        r2 = 1.0 if rmse == 0.0 else 0.0
    residual, actual = F.col("label") - F.col("prediction"), F.abs("label")
    # NULL if the target is 0, so that avg and count skip it.
    share = F.abs(residual) / F.when(actual > 0.0, actual)
    aggregates = (F.avg(share), F.count(share), F.var_pop(residual), F.var_pop("label"))
    mape, shares, unexplained, spread = scored.agg(*aggregates).first() or (math.nan, 0, math.nan, math.nan)
    explained = 1.0 - unexplained / spread if spread else float(unexplained == 0.0)
    return {
        "rmse": rmse,
        "mae": found.meanAbsoluteError(),
        "r2": r2,
        "explained_variance": explained,
        **({"mape": mape} if shares == rows else {}),
        "median_absolute_error": ranks.medians(scored, [F.abs(residual)], [rows])[0],
    }
