"""Emitters of nearest-neighbour models: TopK of squared distances, or all within a radius, then a vote, a mean or a
density.

Ties are broken as in `sqlml.estimators.sklearn.neighbors`: by squared distances rounded to multiples of 2⁻³⁰, then by
the row's index. The edge of a radius is rounded in the same way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlml.export import outputs
from sqlml.export.distances import squares
from sqlml.export.graph import Graph
from sqlml.jobs.ties import STEPS, largest_square
from sqlml.signature import Signature


def classifier(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The (weighted) share of each class among the nearest training rows."""
    distances, indices = _nearest(graph, x, model)
    member = graph.op("Gather", graph.constant(np.eye(len(signature.labels))[model._y]), indices)
    if model.weights == "distance":
        member = graph.op("Mul", member, _unsqueezed(graph, _weights(graph, distances)))
    votes = _sum(graph, member)
    total = graph.op("ReduceSum", votes, graph.constant([1], np.int64), keepdims=1)
    outputs.classes(graph, signature, graph.op("Div", votes, total), outputs.first_largest(graph, votes))


def regressor(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The (weighted) mean of the targets of the nearest training rows."""
    distances, indices = _nearest(graph, x, model)
    answers = graph.op("Gather", graph.constant(np.asarray(model._y, dtype=np.float64)), indices)
    if model.weights == "uniform":
        return outputs.prediction(graph, _mean(graph, answers, model.n_neighbors))
    weights = _weights(graph, distances)
    weighted = _row_sum(graph, graph.op("Mul", answers, weights))
    return outputs.prediction(graph, graph.op("Div", weighted, _row_sum(graph, weights)))


def radius_classifier(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The (weighted) share of each class among the training rows within the radius; where there is none, the most
    frequent class has all of it."""
    classes = np.eye(len(signature.labels))
    votes = graph.op("MatMul", _within_radius(graph, x, model), graph.constant(classes[model._y]))
    alone = graph.op("Equal", _row_sum(graph, votes), graph.constant(0.0))
    usual = np.searchsorted(model.classes_, model.outlier_label_)
    votes = graph.op("Where", alone, graph.constant(classes[usual]), votes)
    probabilities = graph.op("Div", votes, _row_sum(graph, votes))
    outputs.classes(graph, signature, probabilities, outputs.first_largest(graph, probabilities))


def radius_regressor(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The (weighted) mean of the targets of the training rows within the radius; 0 / 0, which is NaN, where there is
    none."""
    weights = _within_radius(graph, x, model)
    targets = graph.constant(np.asarray(model._y, dtype=np.float64)[:, np.newaxis])
    outputs.prediction(graph, graph.op("Div", graph.op("MatMul", weights, targets), _row_sum(graph, weights)))


def local_outlier_factor(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The mean local density of the neighbours divided by x's own density (Breunig et al. 2000); an anomaly above
    -offset."""
    count = model.n_neighbors_
    distances, indices = _nearest(graph, x, model, count)
    around = graph.op("Gather", graph.constant(model._distances_fit_X_[:, count - 1].copy()), indices)
    reach = _mean(graph, graph.op("Max", distances, around), count)
    density = graph.op("Div", graph.constant(1.0), graph.op("Add", reach, graph.constant(1e-10)))
    ratios = graph.op("Div", graph.op("Gather", graph.constant(model._lrd), indices), density)
    outputs.anomaly(graph, signature, graph.op("Add", _mean(graph, ratios, count), graph.constant(model.offset_)))


def _nearest(graph: Graph, x: str, model: Any, count: int | None = None) -> tuple[str, str]:
    """Distances and indices of the nearest training rows, each [rows, neighbours]. TopK takes the lower index on ties,
    see https://onnx.ai/onnx/operators/onnx__TopK.html."""
    points: NDArray[np.float64] = np.asarray(model._fit_X)
    squared = squares(graph, x, points)
    rounded = graph.op("Round", graph.op("Mul", squared, graph.constant(STEPS)))
    number = graph.constant([count or model.n_neighbors], np.int64)
    _, indices = graph.ops("TopK", rounded, number, outputs=2, axis=1, largest=0)
    return graph.op("Sqrt", graph.op("GatherElements", squared, indices, axis=1)), indices


def _within_radius(graph: Graph, x: str, model: Any) -> str:
    """The weight of each training row, 0 beyond the radius: [rows, training rows]."""
    squared = squares(graph, x, np.asarray(model._fit_X))
    within = graph.op("LessOrEqual", squared, graph.constant(largest_square(model.radius)))
    if model.weights == "uniform":
        return graph.cast(within)
    return graph.op("Where", within, _weights(graph, graph.op("Sqrt", squared)), graph.constant(0.0))


def _weights(graph: Graph, distances: str) -> str:
    """1 / distance; if some neighbours are at distance 0, those weigh 1 and the others 0."""
    same = graph.cast(graph.op("Equal", distances, graph.constant(0.0)))
    some = graph.op("ReduceMax", same, graph.constant([1], np.int64), keepdims=1)
    inverse = graph.op("Div", graph.constant(1.0), distances)
    return graph.op("Where", graph.op("Greater", some, graph.constant(0.0)), same, inverse)


def _mean(graph: Graph, values: str, count: int) -> str:
    return graph.op("Div", _row_sum(graph, values), graph.constant(float(count)))


def _row_sum(graph: Graph, values: str) -> str:
    return graph.op("ReduceSum", values, graph.constant([1], np.int64), keepdims=1)


def _sum(graph: Graph, member: str) -> str:
    """The sum over the neighbours: [rows, neighbours, classes] → [rows, classes]."""
    return graph.op("ReduceSum", member, graph.constant([1], np.int64), keepdims=0)


def _unsqueezed(graph: Graph, weights: str) -> str:
    return graph.op("Unsqueeze", weights, graph.constant([2], np.int64))
