"""Isotonic regression of both engines: a line from each point that was learned to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlml.export import outputs, trees
from sqlml.export.graph import INT64, Graph
from sqlml.signature import Signature

_Array = NDArray[np.float64]


def of_sklearn(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """Between the points as numpy.interp: by the slope; outside of them the nearest one's value, or NaN."""
    points, values = model.X_thresholds_, model.y_thresholds_
    place = _place(graph, x, points)
    with np.errstate(over="ignore"):
        slopes = np.append(np.diff(values) / np.diff(points), 0.0)
    run = graph.op("Sub", x, _at(graph, points, place))
    line = graph.op("Add", graph.op("Mul", _at(graph, slopes, place), run), _at(graph, values, place))
    found = _at_points(graph, x, points, values, place, line)
    if model.out_of_bounds == "nan" and len(points) > 1:
        # Of one point scikit-learn says the same everywhere.
        for outside in (_less(graph, x, points[0]), _greater(graph, x, points[-1])):
            found = graph.op("Where", outside, graph.constant(np.nan), found)
    outputs.prediction(graph, found)


def of_mllib(graph: Graph, x: str, model: Any, parts: Sequence[Any], signature: Signature) -> None:
    """Between the points y + (y' - y) · (x - p) / (p' - p), in this order; outside of them the nearest one's value."""
    points, values = model.boundaries.toArray(), model.predictions.toArray()
    place = _place(graph, x, points)
    rises, widths = np.append(np.diff(values), 0.0), np.append(np.diff(points), 1.0)
    run = graph.op("Sub", x, _at(graph, points, place))
    share = graph.op("Div", graph.op("Mul", _at(graph, rises, place), run), _at(graph, widths, place))
    line = graph.op("Add", _at(graph, values, place), share)
    outputs.prediction(graph, _at_points(graph, x, points, values, place, line))


def _place(graph: Graph, x: str, points: _Array) -> str:
    """The last point that is not after x, the first where all are: [rows, 1] in int64.

    A balanced tree finds it by as many comparisons as the number of points has bits.
    """
    if len(points) == 1:
        return graph.cast(_less(graph, x, -np.inf), INT64)
    return graph.cast(trees.emit(graph, x, [_search(points)], 1), INT64)


def _search(points: _Array) -> trees.Tree:
    """The tree whose leaf for x says its place. A node's children come after it."""
    feature: list[int] = []
    thresholds, left, right, weights = list[float](), list[int](), list[int](), list[float]()
    waiting = [(0, len(points), trees.LEAF, left)]
    while waiting:
        first, end, parent, side = waiting.pop()
        node, middle = len(left), (first + end) // 2
        if parent != trees.LEAF:
            side[parent] = node
        is_leaf = end - first == 1
        feature.append(0)
        # x is before a point where it is at most the largest number before that.
        thresholds.append(0.0 if is_leaf else float(np.nextafter(points[middle], -np.inf)))
        left.append(trees.LEAF)
        right.append(trees.LEAF)
        weights.append(float(first))
        if not is_leaf:
            waiting += [(first, middle, node, left), (middle, end, node, right)]
    return trees.Tree(
        feature=np.array(feature),
        threshold=np.array(thresholds),
        left=np.array(left),
        right=np.array(right),
        missing_left=np.zeros(len(left), dtype=bool),
        weights=np.array(weights).reshape(-1, 1),
    )


def _at_points(graph: Graph, x: str, points: _Array, values: _Array, place: str, line: str) -> str:
    """The line, but a point's own value at the point and outside of all: there is no 0 · ∞ then."""
    found = graph.op("Where", graph.op("Equal", x, _at(graph, points, place)), _at(graph, values, place), line)
    found = graph.op("Where", _less(graph, x, points[0]), graph.constant(values[0]), found)
    return graph.op("Where", _greater(graph, x, points[-1]), graph.constant(values[-1]), found)


def _at(graph: Graph, values: _Array, place: str) -> str:
    return graph.op("Gather", graph.constant(values), place)


def _less(graph: Graph, x: str, value: float) -> str:
    return graph.op("Less", x, graph.constant(value))


def _greater(graph: Graph, x: str, value: float) -> str:
    return graph.op("Greater", x, graph.constant(value))
