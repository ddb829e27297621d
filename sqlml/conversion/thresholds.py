"""Classifiers with a threshold of their own, for skl2onnx: FixedThresholdClassifier and TunedThresholdClassifierCV.

skl2onnx converts the second as if its threshold were 0.5. Here the classifier inside is converted by whatever converts
it, and a last step compares its probability with the threshold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

from sqlml.export.graph import INT64, Graph
from sqlml.export.sklearn.blocks import NoEmitterError

_HALF = 0.5


class Threshold(ClassifierMixin, BaseEstimator):
    """The last step: class `index` where its probability is at least the threshold, else the other class.

    Attributes:
        classes_: the two classes.
    """

    def __init__(self, classes: Any = (), index: int = 1, threshold: float = _HALF) -> None:
        self.classes, self.index, self.threshold = classes, index, threshold

    @property
    def classes_(self) -> Any:
        return np.asarray(self.classes)


CLASSES = (FixedThresholdClassifier, TunedThresholdClassifierCV)


def of(model: Any) -> Threshold:
    """The last step of a fitted classifier with a threshold.

    Raises:
        NoEmitterError: if the threshold is one of the decision function.
    """
    name = type(model).__name__
    if not hasattr(model, "predict_proba") or model.response_method == "decision_function":
        raise NoEmitterError(f"{name} compares a decision function, and only probabilities have an emitter")
    if isinstance(model, TunedThresholdClassifierCV):
        # The class that the metric, by which it was tuned, counts as positive.
        threshold, positive = model.best_threshold_, model._curve_scorer._get_pos_label()
    else:
        threshold, positive = _HALF if model.threshold == "auto" else model.threshold, model.pos_label
    classes = model.classes_.tolist()
    index = 1 if positive is None else classes.index(positive)
    return Threshold(classes, index, float(threshold))


def emit(graph: Graph, probabilities: str, rule: Threshold) -> str:
    """The index of the class of each row.

    Args:
        probabilities: [rows, 2] in double.
    """
    own = graph.op("Gather", probabilities, graph.constant(rule.index, np.int64), axis=1)
    reached = graph.cast(graph.op("GreaterOrEqual", own, graph.constant(rule.threshold)), INT64)
    return reached if rule.index == 1 else graph.op("Sub", graph.constant(1, np.int64), reached)
