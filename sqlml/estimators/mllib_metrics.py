"""How good a fitted MLlib model is, measured by Spark where the rows are, in scikit-learn's definitions."""

from __future__ import annotations

import math
import sys

from pyspark.ml.evaluation import (
    BinaryClassificationEvaluator,
    MulticlassClassificationEvaluator,
    RegressionEvaluator,
)
from pyspark.sql import DataFrame

# The evaluators' `getMetrics`, which Python has no name for, reads the rows once where `evaluate` reads them for
# every metric. The evaluator stays in a variable: when Python drops it, the JVM's object goes too.


def classification(scored: DataFrame, *, classes: int, measured: int) -> dict[str, float]:
    """Metrics of a classifier; precision, recall and F1 are means over the classes, weighted by their rows.

    Args:
        scored: `label` and `prediction` (positions of classes) and `probability`; cached, as it is read three times.
        classes: how many the model knows.
        measured: how many the rows have; the area under the ROC curve needs both of two.
    """
    evaluator = MulticlassClassificationEvaluator()
    found = evaluator._java_obj.getMetrics(scored._jdf)
    metrics = {
        "accuracy": found.accuracy(),
        "precision": found.weightedPrecision(),
        "recall": found.weightedRecall(),
        "f1": found.weightedFMeasure(),
        # scikit-learn clips a probability at the machine epsilon before the logarithm; MLlib's default is 1e-15.
        "log_loss": found.logLoss(sys.float_info.epsilon),
    }
    if classes == 2 and measured == 2:
        # numBins 0 takes every distinct score as a threshold: the exact area.
        metrics["roc_auc"] = BinaryClassificationEvaluator(rawPredictionCol="probability", numBins=0).evaluate(scored)
    return metrics


def regression(scored: DataFrame) -> dict[str, float]:
    """Metrics of a regressor; R² of a constant target is 1 where every prediction is right and 0 otherwise."""
    evaluator = RegressionEvaluator()
    found = evaluator._java_obj.getMetrics(scored._jdf)
    rmse, r2 = found.rootMeanSquaredError(), found.r2()
    if not math.isfinite(r2):
        r2 = 1.0 if rmse == 0.0 else 0.0
    return {"rmse": rmse, "mae": found.meanAbsoluteError(), "r2": r2}
