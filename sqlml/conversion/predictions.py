"""The predictions of a fitted model by its own library, which an ONNX graph must repeat."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlml.errors import SqlmlError
from sqlml.estimators import ANOMALY_DETECTION, CLASSIFICATION, CLUSTERING, ESTIMATORS, REGRESSION
from sqlml.estimators.sklearn import clusters
from sqlml.importing.request import NO_ACTIVATION
from sqlml.signature import Signature

# Methods of a classifier that return a score for each class, the first that it has, and what they are.
PROBABILITIES, SCORES = "predict_proba", "decision_function"
_FEWEST_CLUSTERS = 2
_TYPES = {ANOMALY_DETECTION: "boolean", CLUSTERING: "int"}
# The classes of clusterings and detectors of anomalies, which have no classes of their own.
_WITHOUT_TARGET = {
    task: {row.classes[task].rpartition(".")[2] for row in ESTIMATORS if task in row.classes and not row.distributed}
    for task in (ANOMALY_DETECTION, CLUSTERING)
}


@dataclass(frozen=True)
class Answers:
    """What a model says about its predictions.

    Attributes:
        task: classification, regression, clustering or anomaly detection.
        labels: the classes, in the order of the scores; the numbers of the clusters; empty for a regression.
        scores: the method that returns scores; None for a model that has labels only, and for a regression.
    """

    task: str
    labels: tuple[Any, ...]
    scores: str | None

    @property
    def activation(self) -> str | None:
        """`NO_ACTIVATION` where the scores are no probabilities."""
        return NO_ACTIVATION if self.scores == SCORES else None


def answers_of(model: Any) -> Answers:
    """Returns what the model predicts.

    Raises:
        SqlmlError: SQLML_MODEL_REFUSED for an unfitted model, one without `predict`, and one of several outputs.
    """
    from sklearn.base import is_classifier, is_regressor

    _check_fitted(model)
    name = type(model).__name__
    if not hasattr(model, "predict"):
        raise SqlmlError(
            "SQLML_MODEL_REFUSED",
            f"{name} has no predict: it transforms rows, and PREDICT needs a model at its end.",
            hint="Give a Pipeline whose last step predicts.",
        )
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    if type(last).__name__ in _WITHOUT_TARGET[ANOMALY_DETECTION]:
        return Answers(ANOMALY_DETECTION, (False, True), None)
    if type(last).__name__ in _WITHOUT_TARGET[CLUSTERING]:
        return Answers(CLUSTERING, tuple(range(_clusters(last))), None)
    if is_regressor(model):
        return Answers(REGRESSION, (), None)
    if not is_classifier(model):
        raise SqlmlError(
            "SQLML_MODEL_REFUSED",
            f"{name} is neither a classifier, a regressor, a clustering nor a detector of anomalies that sqlml knows.",
            hint="sql/reference/bring_your_model.md lists them.",
        )
    classes = model.classes_
    if isinstance(classes, list) or getattr(classes, "ndim", 1) != 1:
        raise SqlmlError(
            "SQLML_MODEL_REFUSED",
            f"{name} predicts several labels per row, and a model in SQL predicts one.",
            hint="Register a model for each label: model.estimators_[0], …",
        )
    scores = next((method for method in (PROBABILITIES, SCORES) if hasattr(model, method)), None)
    return Answers(CLASSIFICATION, tuple(_plain(one) for one in classes.tolist()), scores)


def _clusters(model: Any) -> int:
    count = clusters.count(model)
    if count < _FEWEST_CLUSTERS:
        raise SqlmlError(
            "SQLML_MODEL_REFUSED",
            f"The {type(model).__name__} has found one cluster, so it predicts the same for all rows.",
            hint="Fit it with other hyperparameters.",
        )
    return count


def signature_of(answers: Answers, imported: Signature) -> Signature:
    """The signature of a model whose clusters or anomalies were imported as the classes of a classifier."""
    if answers.task not in _TYPES:
        return imported
    return replace(imported, task=answers.task, target=None, target_type=_TYPES[answers.task])


def predicted(model: Any, answers: Answers, rows: Any) -> list[NDArray[Any]]:
    """Returns the model's predictions of some rows.

    Returns:
        For a classifier the labels [rows] and, where it has scores, these [rows, classes]; for a regressor the
        predictions [rows] or [rows, outputs].
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = np.asarray(model.predict(rows))
        if answers.task == REGRESSION:
            return [found.astype(np.float64)]
        labels = found.ravel()
        if answers.task == ANOMALY_DETECTION:
            # scikit-learn's -1 is an anomaly.
            return [(labels == -1).astype(np.int64)]
        if labels.dtype == object:
            labels = labels.astype(str)
        if answers.scores is None:
            return [labels]
        scores = np.asarray(getattr(model, answers.scores)(rows), dtype=np.float64)
    if scores.ndim == 1:
        # One margin per row is that of the second class.
        scores = np.stack([-scores, scores], axis=1)
    return [labels, scores]


def answered(predict: Callable[[int, int], list[NDArray[Any]]], rows: int) -> list[int]:
    """Returns the indices of the rows that a model predicts; a library refuses a whole batch for one of its values.

    Args:
        predict: predicts the rows from a first index to before a last one.
    """
    return [row for start, end in _halves(predict, 0, rows) for row in range(start, end)]


def _halves(predict: Callable[[int, int], Any], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Bisection: the ranges of rows that are predicted together."""
    if start == end:
        return
    try:
        predict(start, end)
    except Exception:
        # Any exception of any library means that the model has no prediction for one of the rows.
        if end - start > 1:
            middle = (start + end) // 2
            yield from _halves(predict, start, middle)
            yield from _halves(predict, middle, end)
        return
    yield start, end


def _check_fitted(model: Any) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(model)
    except NotFittedError as error:
        raise SqlmlError(
            "SQLML_MODEL_REFUSED",
            f"This {type(model).__name__} is not fitted.",
            hint="Fit it first: model.fit(X, y).",
        ) from error
    except TypeError:
        # Not an estimator in scikit-learn's sense; its own predict tells.
        return


def _plain(label: Any) -> Any:
    return label if isinstance(label, (str, bool, int, float)) else str(label)
