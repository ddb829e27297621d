"""Metrics of a fitted model on one machine; `mllib.metrics` computes the same on the cluster, except for clustering."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.estimators.estimator import (
    ANOMALY_DETECTION,
    CLASSIFICATION,
    CLUSTERING,
    DIMENSIONALITY_REDUCTION,
    REGRESSION,
)

LOWER_IS_BETTER = ("brier", "davies_bouldin", "log_loss", "mae", "mape", "median_absolute_error", "rmse")
# The default metric to compare models by: the first of these that is measured.
_USUAL = ("roc_auc", "accuracy", "concordance_index", "r2", "silhouette", "silhouette_squared")
# All metrics of each task; some are not measured for every estimator or number of classes.
MEASURED: dict[str, tuple[str, ...]] = {
    CLASSIFICATION: (
        "accuracy",
        "balanced_accuracy",
        "brier",
        "f1",
        "log_loss",
        "mcc",
        "pr_auc",
        "precision",
        "recall",
        "roc_auc",
    ),
    REGRESSION: ("concordance_index", "explained_variance", "mae", "mape", "median_absolute_error", "r2", "rmse"),
    CLUSTERING: ("calinski_harabasz", "clusters", "davies_bouldin", "silhouette"),
    ANOMALY_DETECTION: ("anomalies",),
    DIMENSIONALITY_REDUCTION: ("explained_variance",),
}
_OF_CLUSTERS_ON_THE_CLUSTER = ("clusters", "silhouette_squared")
# The silhouette's cost grows with the square of the rows.
_MOST_SILHOUETTE_ROWS = 5_000


def check(metric: str | None, task: str, *, distributed: bool) -> None:
    """Raises SqlmlError SQLML_OPTION_INVALID for a metric that no estimator of the task has, on the cluster or on one
    machine."""
    known = _OF_CLUSTERS_ON_THE_CLUSTER if distributed and task == CLUSTERING else MEASURED[task]
    if metric is not None and metric not in known:
        raise _not_measured(metric, task, known)


def chosen(metric: str | None, task: str, measured: dict[str, float]) -> str:
    """The metric to compare models by.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for a metric that was not measured.
    """
    if metric is None:
        usual = next((name for name in _USUAL if name in measured), None)
        if usual is None:
            raise SqlmlError("SQLML_OPTION_INVALID", "There is no metric to compare trials and folds by.")
        return usual
    if metric == "mape" and task == REGRESSION and metric not in measured:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            "mape divides by the target, which is 0 in some of the measured rows.",
            hint="Use metric = 'mae' or metric = 'median_absolute_error'.",
        )
    if metric not in measured:
        raise _not_measured(metric, task, measured)
    return metric


def _not_measured(metric: str, task: str, known: Iterable[str]) -> SqlmlError:
    return SqlmlError(
        "SQLML_OPTION_INVALID",
        f"The metric {metric} is not available for {task.replace('_', ' ')}.",
        hint=did_you_mean(metric, known, limit=20),
    )


def classification(
    actual: NDArray[np.int64], chosen: NDArray[np.int64], scores: NDArray[np.float64], *, probabilities: bool = True
) -> dict[str, float]:
    """Metrics of a classifier. Precision, recall and F1 are means over the classes, weighted by their rows; `mcc` is
    the Matthews correlation coefficient.

    Args:
        actual, chosen: [rows] actual and predicted label indices.
        scores: [rows, classes]. With two classes, both among `actual`, the area under the ROC curve and the average
            precision are measured too.
        probabilities: True if the scores are probabilities; then log_loss and, with two classes, brier are measured.
    """
    from sklearn import metrics

    weighted: dict[str, Any] = {"average": "weighted", "zero_division": 0}
    found = {
        "accuracy": metrics.accuracy_score(actual, chosen),
        "precision": metrics.precision_score(actual, chosen, **weighted),
        "recall": metrics.recall_score(actual, chosen, **weighted),
        "f1": metrics.f1_score(actual, chosen, **weighted),
        "balanced_accuracy": _balanced_accuracy(actual, chosen),
        "mcc": metrics.matthews_corrcoef(actual, chosen),
    }
    two = scores.shape[1] == 2
    if probabilities:
        found["log_loss"] = metrics.log_loss(actual, scores, labels=np.arange(scores.shape[1]))
    if probabilities and two:
        found["brier"] = np.mean((scores[:, 1] - actual) ** 2)
    if two and len(np.unique(actual)) == 2:
        found["roc_auc"] = metrics.roc_auc_score(actual, scores[:, 1])
        found["pr_auc"] = metrics.average_precision_score(actual, scores[:, 1])
    return {name: float(value) for name, value in found.items()}


def _balanced_accuracy(actual: NDArray[np.int64], chosen: NDArray[np.int64]) -> float:
    """The mean recall of the classes that occur. scikit-learn's function warns about the others."""
    return float(np.mean([np.mean(chosen[actual == label] == label) for label in np.unique(actual)]))


def clustering(x: NDArray[np.float64], chosen: NDArray[np.int64]) -> dict[str, float]:
    """Metrics of a clustering; the silhouette on at most 5,000 rows. Only the number of clusters if fewer than two
    occur, or as many as rows.

    Args:
        x: [rows, width] the prepared matrix.
        chosen: [rows] each row's cluster.
    """
    from sklearn import metrics

    found = {"clusters": float(len(np.unique(chosen)))}
    some = slice(_MOST_SILHOUETTE_ROWS)
    if 1 < len(np.unique(chosen[some])) < len(x[some]):
        found["silhouette"] = float(metrics.silhouette_score(x[some], chosen[some]))
        found["davies_bouldin"] = float(metrics.davies_bouldin_score(x[some], chosen[some]))
        found["calinski_harabasz"] = float(metrics.calinski_harabasz_score(x[some], chosen[some]))
    return found


def dimensionality_reduction(x: NDArray[np.float64], restored: NDArray[np.float64]) -> dict[str, float]:
    """The explained variance: 1 - ‖x - restored‖² / ‖x - mean‖².

    Args:
        x, restored: [rows, width] the prepared matrix, and its reconstruction from the components.
    """
    spread = float(np.sum((x - x.mean(axis=0)) ** 2))
    lost = float(np.sum((x - restored) ** 2))
    return {"explained_variance": 1.0 - lost / spread if spread > 0.0 else float(lost == 0.0)}


def anomaly_detection(anomalous: NDArray[np.int64]) -> dict[str, float]:
    """The share of rows that are anomalies."""
    return {"anomalies": float(np.mean(anomalous))}


def concordance_index(
    actual: NDArray[np.float64], observed: NDArray[np.bool_], predicted: NDArray[np.float64]
) -> float | None:
    """Harrell's concordance index (1996): the share of comparable pairs that the predictions rank correctly, ties as
    half; None without comparable pairs.

    A pair is comparable if the end of the shorter time was observed; of equal times, if only one end was.
    """
    right, pairs = 0.0, 0
    for time, prediction in zip(actual[observed], predicted[observed], strict=True):
        longer = (actual > time) | ((actual == time) & ~observed)
        others = predicted[longer]
        right += np.sum(others > prediction) + np.sum(others == prediction) / 2.0
        pairs += len(others)
    return float(right / pairs) if pairs else None


def regression(actual: NDArray[np.float64], predicted: NDArray[np.float64]) -> dict[str, float]:
    """Metrics of a regressor. R² of a constant target is 1 if every prediction is right and 0 otherwise. Rows without a
    prediction (NaN) are left out; the result is empty if those are all. `mape` is left out if a target is 0."""
    from sklearn import metrics

    answered = ~np.isnan(predicted)
    if not answered.all():
        actual, predicted = actual[answered], predicted[answered]
    if not len(actual):
        return {}
    residuals = actual - predicted
    squares = float(np.sum(residuals**2))
    spread = float(np.sum((actual - actual.mean()) ** 2))
    return {
        "rmse": math.sqrt(squares / len(actual)),
        "mae": float(np.mean(np.abs(residuals))),
        "r2": 1.0 - squares / spread if spread > 0.0 else float(squares == 0.0),
        "explained_variance": float(metrics.explained_variance_score(actual, predicted)),
        **({} if np.any(actual == 0.0) else {"mape": float(np.mean(np.abs(residuals / actual)))}),
        "median_absolute_error": float(np.median(np.abs(residuals))),
    }
