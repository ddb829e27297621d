"""How good a fitted scikit-learn model is; the same names and definitions as `mllib_metrics`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def classification(
    actual: NDArray[np.int64], chosen: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> dict[str, float]:
    """Metrics of a classifier; precision, recall and F1 are means over the classes, weighted by their rows.

    Args:
        actual, chosen: [rows] positions of labels.
        probabilities: [rows, classes]. With two classes, and both among `actual`, roc_auc is measured too.
    """
    from sklearn import metrics

    weighted: dict[str, Any] = {"average": "weighted", "zero_division": 0}
    found = {
        "accuracy": metrics.accuracy_score(actual, chosen),
        "precision": metrics.precision_score(actual, chosen, **weighted),
        "recall": metrics.recall_score(actual, chosen, **weighted),
        "f1": metrics.f1_score(actual, chosen, **weighted),
        "log_loss": metrics.log_loss(actual, probabilities, labels=np.arange(probabilities.shape[1])),
    }
    if probabilities.shape[1] == 2 and len(np.unique(actual)) == 2:
        found["roc_auc"] = metrics.roc_auc_score(actual, probabilities[:, 1])
    return {name: float(value) for name, value in found.items()}


def regression(actual: NDArray[np.float64], predicted: NDArray[np.float64]) -> dict[str, float]:
    """Metrics of a regressor; R² of a constant target is 1 where every prediction is right and 0 otherwise."""
    residuals = actual - predicted
    squares = float(np.sum(residuals**2))
    spread = float(np.sum((actual - actual.mean()) ** 2))
    return {
        "rmse": math.sqrt(squares / len(actual)),
        "mae": float(np.mean(np.abs(residuals))),
        "r2": 1.0 - squares / spread if spread > 0.0 else float(squares == 0.0),
    }
