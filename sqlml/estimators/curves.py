"""Model plots as plain numbers: ROC and precision-recall curves, calibration, confusion matrix, points, and feature
importance. `registry.plots` draws them.

Computed on the same rows as the metrics: here for libraries of one machine, in `mllib.curves` on the cluster. JSON:

    roc                 [{"label", "x": false positive rates, "y": true positive rates, "area"}, …], one of two classes
    precision_recall    {"label", "x": recalls, "y": precisions, "area": average precision}; two classes only
    calibration         {"label", "x": mean probabilities of bins, "y": shares of the label in them}; two classes only
    confusion           {"labels": […], "counts": [[rows of an actual label, by predicted label], …]}
    points              {"actual": […], "predicted": […]}; regression
    importance          {"kind", "features": […], "values": […]}, the largest first
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sqlml.estimators import metrics
from sqlml.estimators.sklearn.rows import number_columns, text_columns
from sqlml.jobs.preparation import Preparation
from sqlml.signature import Signature

MOST_POINTS = 500
# Plots of more classes or features than this cannot be read.
MOST_CLASSES, MOST_CURVES, _MOST_FEATURES = 30, 10, 20
BINS = 10
# Permutation importance scores all rows once per feature, so it is limited to few rows and this many seconds.
MOST_ROWS_PERMUTED, _PERMUTING_SECONDS = 500, 1.0


Answers = tuple[NDArray[np.int64] | None, NDArray[np.float64]]
"""[rows] positions of labels, None in regression; and [rows, classes] scores, or [rows] predictions."""


def shown(
    signature: Signature,
    preparation: Preparation,
    inputs: pd.DataFrame,
    actual: NDArray[Any],
    answers: Answers,
    answer: Callable[[pd.DataFrame], Answers],
    model: Any,
    *,
    one_hot: bool,
    seed: int,
) -> dict[str, Any]:
    """All plots of a model; {"error": text} if they cannot be computed, which is no reason to refuse the model.

    Args:
        inputs, actual, answers: the measured rows, their targets and the model's answers.
        answer: scores other inputs with the model.
        one_hot: True if a text is a block of columns in the prepared matrix.
    """
    count = min(len(actual), MOST_ROWS_PERMUTED)
    some = inputs.iloc[:count]
    names: dict[str, list[str]] = {}
    for feature, _, name in number_columns(signature.features):
        names.setdefault(feature.name, []).append(name)
    for feature, name in text_columns(signature.features):
        names.setdefault(feature.name, []).append(name)

    def score(feature: str | None, permutation: NDArray[np.int64]) -> float:
        moved = {name: some[name].to_numpy()[permutation] for name in names[feature]} if feature else {}
        indices, predicted = answer(some.assign(**moved))
        if indices is None:
            return metrics.regression(actual[:count], predicted)["r2"]
        return float(np.mean(indices == actual[:count]))

    try:
        found = of(signature, actual, *answers)
        important = _importance(model, preparation, score, count, one_hot=one_hot, seed=seed)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return found if important is None else {**found, "importance": important}


def of(
    signature: Signature,
    actual: NDArray[Any],
    indices: NDArray[np.int64] | None,
    scores: NDArray[np.float64],
) -> dict[str, Any]:
    """The plots of a classifier or a regressor, without feature importance.

    Args:
        actual: [rows] label indices, or numbers.
        indices: [rows] predicted label indices; None for regression.
        scores: [rows, classes], or [rows] predictions.
    """
    if indices is None:
        actual, scores = actual[~np.isnan(scores)], scores[~np.isnan(scores)]
        some = np.linspace(0, len(actual) - 1, min(len(actual), MOST_POINTS)).astype(np.int64)
        return {"points": {"actual": actual[some].tolist(), "predicted": scores[some].tolist()}}
    labels = label_names(signature)
    found: dict[str, Any] = {}
    if len(labels) <= MOST_CLASSES:
        counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
        np.add.at(counts, (actual, indices), 1)
        found["confusion"] = {"labels": labels, "counts": counts.tolist()}
    shown = range(1, 2) if len(labels) == 2 else range(min(len(labels), MOST_CURVES))
    curves = [_roc(labels[index], actual == index, scores[:, index]) for index in shown]
    found["roc"] = [curve for curve in curves if curve is not None]
    if len(labels) == 2 and 0 < actual.sum() < len(actual):
        found["precision_recall"] = _precision_recall(labels[1], actual == 1, scores[:, 1])
        if signature.probabilities:
            found["calibration"] = _calibration(labels[1], actual == 1, scores[:, 1])
    return found


def label_names(signature: Signature) -> list[str]:
    """The labels as SQL writes them."""
    return [str(label).lower() if isinstance(label, bool) else str(label) for label in signature.labels]


Score = Callable[[str | None, NDArray[np.int64]], float]
"""How good the model is (more is better) where a feature's values come from other rows' places; None moves nothing."""


def _importance(
    model: Any, preparation: Preparation, score: Score, rows: int, *, one_hot: bool, seed: int
) -> dict[str, Any] | None:
    """Feature importance: from the model's own importances or coefficients, or else by permutation."""
    columns = owners(preparation, one_hot=one_hot)
    kind, values = of_columns(model, len(columns))
    if values is not None:
        return important(kind, summed(columns, values))
    return important("permutation", permuted(list(dict.fromkeys(columns)), score, seed, rows)) if rows else None


def owners(preparation: Preparation, *, one_hot: bool) -> list[str]:
    """The feature of each column of the prepared matrix."""
    found = [column.feature for column in preparation.numbers]
    for column in preparation.categories:
        found += [column.feature] * (column.width if one_hot else 1)
    return [*found, *(column.feature for column in preparation.codes), *preparation.flags]


def summed(columns: list[str], values: NDArray[np.float64]) -> dict[str, float]:
    """The sum of the values of each feature's columns."""
    sums = dict.fromkeys(columns, 0.0)
    for owner, value in zip(columns, values.tolist(), strict=True):
        sums[owner] += value
    return sums


def important(kind: str, values: dict[str, float]) -> dict[str, Any]:
    """The plot of the most important features."""
    best = sorted(values, key=lambda feature: -values[feature])[:_MOST_FEATURES]
    return {"kind": kind, "features": best, "values": [values[feature] for feature in best]}


def of_columns(model: Any, width: int) -> tuple[str, NDArray[np.float64] | None]:
    """The kind and value of the model's importance of each prepared column: share of impurity or gain, or absolute
    coefficient (columns are scaled if there are coefficients). None if it has neither."""
    gains = getattr(model, "booster_", None)
    if gains is not None:
        return "gain", shares(gains.feature_importance("gain"))
    if hasattr(model, "feature_importances_"):
        return "gain" if hasattr(model, "get_booster") else "impurity", shares(model.feature_importances_)
    coefficients = getattr(model, "coef_", None)
    if coefficients is not None:
        found = sizes(coefficients)
        if len(found) == width:
            return "|coefficient|", found
    return "", None


def sizes(coefficients: Any) -> NDArray[np.float64]:
    """The mean absolute coefficient of each column, over the classes if there are several rows of coefficients."""
    found: NDArray[np.float64] = np.abs(np.atleast_2d(np.asarray(coefficients, dtype=np.float64))).mean(axis=0)
    return found


def shares(values: Any) -> NDArray[np.float64]:
    """The values divided by their sum."""
    found = np.nan_to_num(np.asarray(values, dtype=np.float64))
    return found / (found.sum() or 1.0)


def permuted(features: list[str], score: Score, seed: int, rows: int) -> dict[str, float]:
    """Permutation importance (Breiman 2001): the decrease of the score when a feature's values are shuffled. Stops when
    time is up."""
    started = time.monotonic()
    dice = np.random.default_rng(seed)
    before = score(None, np.arange(rows))
    found: dict[str, float] = {}
    for feature in features:
        if time.monotonic() - started > _PERMUTING_SECONDS:
            break
        found[feature] = before - score(feature, dice.permutation(rows))
    return found


def _roc(label: str, actual: NDArray[np.bool_], scores: NDArray[np.float64]) -> dict[str, Any] | None:
    from sklearn.metrics import auc, roc_curve

    if not 0 < actual.sum() < len(actual):
        return None
    false, true, _ = roc_curve(actual, scores)
    return {"label": label, **thinned(false, true), "area": float(auc(false, true))}


def _precision_recall(label: str, actual: NDArray[np.bool_], scores: NDArray[np.float64]) -> dict[str, Any]:
    from sklearn.metrics import average_precision_score, precision_recall_curve

    precision, recall, _ = precision_recall_curve(actual, scores)
    area = float(average_precision_score(actual, scores))
    return {"label": label, **thinned(recall, precision), "area": area}


def _calibration(label: str, actual: NDArray[np.bool_], scores: NDArray[np.float64]) -> dict[str, Any]:
    from sklearn.calibration import calibration_curve

    # Probabilities of some libraries leave [0, 1] by a rounding error.
    share, mean = calibration_curve(actual, np.clip(scores, 0.0, 1.0), n_bins=BINS)
    return {"label": label, "x": mean.tolist(), "y": share.tolist()}


def thinned(x: NDArray[np.float64], y: NDArray[np.float64]) -> dict[str, Any]:
    """At most `MOST_POINTS` points of a curve, evenly spaced, first and last included."""
    some = np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST_POINTS)).astype(np.int64))
    return {"x": x[some].tolist(), "y": y[some].tolist()}
