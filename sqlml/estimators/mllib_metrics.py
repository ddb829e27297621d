"""How good a fitted MLlib model is, measured by Spark where the rows are, in scikit-learn's definitions."""

from __future__ import annotations

import math
import sys

from pyspark.ml.evaluation import (
    BinaryClassificationEvaluator,
    ClusteringEvaluator,
    MulticlassClassificationEvaluator,
    RegressionEvaluator,
)
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

# The evaluators' `getMetrics`, which Python has no name for, reads the rows once where `evaluate` reads them for
# every metric. The evaluator stays in a variable: when Python drops it, the JVM's object goes too.


def classification(scored: DataFrame, *, classes: int, measured: int, probabilities: bool = True) -> dict[str, float]:
    """Metrics of a classifier; precision, recall and F1 are means over the classes, weighted by their rows.

    Args:
        scored: `label` and `prediction` (positions of classes) and `probability` or else `rawPrediction`; cached, as it
            is read three times.
        classes: how many the model knows.
        measured: how many the rows have; the area under the ROC curve needs both of two.
        probabilities: whether the scores are that, so that log_loss is measured.
    """
    evaluator = MulticlassClassificationEvaluator()
    found = evaluator._java_obj.getMetrics(scored._jdf)
    metrics = {
        "accuracy": found.accuracy(),
        "precision": found.weightedPrecision(),
        "recall": found.weightedRecall(),
        "f1": found.weightedFMeasure(),
    }
    if probabilities:
        # scikit-learn clips a probability at the machine epsilon before the logarithm; MLlib's default is 1e-15.
        metrics["log_loss"] = found.logLoss(sys.float_info.epsilon)
    if classes == 2 and measured == 2:
        # numBins 0 takes every distinct score as a threshold: the exact area.
        scores = "probability" if probabilities else "rawPrediction"
        metrics["roc_auc"] = BinaryClassificationEvaluator(rawPredictionCol=scores, numBins=0).evaluate(scored)
    return metrics


def clustering(scored: DataFrame) -> dict[str, float]:
    """How many clusters occur, and how well they hold together and apart: MLlib's silhouette is of squared distances,
    which it can add up in one pass; it needs two clusters.

    Args:
        scored: `x` and `prediction`; cached.
    """
    (count,) = scored.agg(F.count_distinct("prediction")).first() or (0,)
    found = {"clusters": float(count)}
    if count > 1:
        found["silhouette"] = ClusteringEvaluator(featuresCol="x").evaluate(scored)
    return found


def regression(scored: DataFrame) -> dict[str, float]:
    """Metrics of a regressor; R² of a constant target is 1 where every prediction is right and 0 otherwise."""
    evaluator = RegressionEvaluator()
    found = evaluator._java_obj.getMetrics(scored._jdf)
    rmse, r2 = found.rootMeanSquaredError(), found.r2()
    if not math.isfinite(r2):
        r2 = 1.0 if rmse == 0.0 else 0.0
    return {"rmse": rmse, "mae": found.meanAbsoluteError(), "r2": r2}
