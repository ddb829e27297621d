"""Emitters of composite models: voting, stacking, and the wrappers of `estimators.sklearn.wrappers`.

All members are written into the same graph, over the same prepared matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np

from sqlml.export import outputs
from sqlml.export.graph import Graph
from sqlml.signature import Signature

Emit = Callable[[Graph, str, Any, Signature], None]
"""Writes one fitted model; what `sqlml.export.sklearn` finds in its table."""


def voting_classifier(graph: Graph, x: str, model: Any, signature: Signature, emit: Emit) -> None:
    """The weighted mean of the members' probabilities, or of their votes; the first largest wins."""
    if model.voting == "hard":
        votes = [_votes(graph, x, one, signature, emit) for one in model.estimators_]
    else:
        votes = [_answers(graph, x, one, signature, emit)["probabilities"] for one in model.estimators_]
    probabilities = _mean(graph, votes, model)
    outputs.classes(graph, signature, probabilities, outputs.first_largest(graph, probabilities))


def voting_regressor(graph: Graph, x: str, model: Any, signature: Signature, emit: Emit) -> None:
    """The weighted mean of the members' predictions."""
    answers = [_prediction(graph, x, one, signature, emit) for one in model.estimators_]
    outputs.prediction(graph, _mean(graph, answers, model))


def stacking_classifier(graph: Graph, x: str, model: Any, signature: Signature, emit: Emit) -> None:
    """The final estimator applied to the members' probabilities, decision scores or labels, and to x with
    `passthrough`."""
    columns = []
    for one, method in zip(model.estimators_, model.stack_method_, strict=True):
        answers = _answers(graph, x, one, signature, emit)
        if method == "predict":
            columns.append(graph.op("Unsqueeze", graph.cast(answers["label"]), graph.constant([1], np.int64)))
            continue
        scores = answers["probabilities" if method == "predict_proba" else "scores"]
        # With two classes the second's score is enough.
        second = graph.constant([1], np.int64)
        columns.append(graph.op("Gather", scores, second, axis=1) if len(signature.labels) == 2 else scores)
    emit(graph, graph.concat([*columns, *([x] if model.passthrough else [])]), model.final_estimator_, signature)


def stacking_regressor(graph: Graph, x: str, model: Any, signature: Signature, emit: Emit) -> None:
    """The final estimator applied to the members' predictions, and to x with `passthrough`."""
    columns = [_prediction(graph, x, one, signature, emit) for one in model.estimators_]
    emit(graph, graph.concat([*columns, *([x] if model.passthrough else [])]), model.final_estimator_, signature)


def standardized_target(graph: Graph, x: str, model: Any, signature: Signature, emit: Emit) -> None:
    """The inner regressor's prediction · deviation + mean."""
    standard = _prediction(graph, x, model.model_, signature, emit)
    scaled = graph.op("Mul", standard, graph.constant(model.scale_))
    outputs.prediction(graph, graph.op("Add", scaled, graph.constant(model.mean_)))


def consensus(graph: Graph, x: str, model: Any, signature: Signature, emit: Emit) -> None:
    """RANSAC: the regressor that was fitted to the inliers."""
    emit(graph, x, model.estimator_, signature)


def last_step(graph: Graph, x: str, model: Any, signature: Signature, emit: Emit) -> None:
    """The model behind a float32 clip. The clip itself is not needed in the graph: the model rounds to float32, and an
    infinite value is above the same thresholds as the largest float32."""
    emit(graph, x, model[-1], signature)


def within_float32(graph: Graph, x: str) -> str:
    """x clipped to float32's range."""
    largest = float(np.finfo(np.float32).max)
    return graph.op("Clip", x, graph.constant(-largest), graph.constant(largest))


def _answers(graph: Graph, x: str, model: Any, signature: Signature, emit: Emit) -> dict[str, str]:
    """A member's outputs as values of the graph; its labels are label indices."""
    positions = tuple(range(len(signature.labels)))
    inner = replace(signature, labels=positions, target_type="bigint", probabilities=hasattr(model, "predict_proba"))
    return graph.captured(lambda: emit(graph, x, model, inner))


def _votes(graph: Graph, x: str, model: Any, signature: Signature, emit: Emit) -> str:
    """A member's label as a row of zeros with a one: [rows, classes]."""
    label = graph.op("Unsqueeze", _answers(graph, x, model, signature, emit)["label"], graph.constant([1], np.int64))
    return graph.cast(graph.op("Equal", label, graph.constant([list(range(len(signature.labels)))], np.int64)))


def _prediction(graph: Graph, x: str, model: Any, signature: Signature, emit: Emit) -> str:
    """A member's prediction: [rows, 1]."""
    value = graph.captured(lambda: emit(graph, x, model, signature))["prediction"]
    return graph.op("Unsqueeze", value, graph.constant([1], np.int64))


def _mean(graph: Graph, answers: list[str], model: Any) -> str:
    """The weighted mean of the members' outputs, in numpy.average's order."""
    weights = [1.0] * len(answers) if model.weights is None else [float(weight) for weight in model.weights]
    weighted = [
        graph.op("Mul", answer, graph.constant(weight)) if weight != 1.0 else answer
        for answer, weight in zip(answers, weights, strict=True)
    ]
    total = reduce(lambda left, right: graph.op("Add", left, right), weighted)
    return graph.op("Div", total, graph.constant(sum(weights)))
