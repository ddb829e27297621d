"""Emitters of isotonic regression for scikit-learn and MLlib: piecewise linear interpolation between learned points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlml.export import outputs, trees
from sqlml.export.graph import Graph
from sqlml.signature import Signature

_Array = NDArray[np.float64]


def of_sklearn(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """numpy.interp's formula slope·(x - p) + y between points; outside of them the nearest point's value, or NaN."""
    points, values = model.X_thresholds_, model.y_thresholds_
    with np.errstate(over="ignore"):
        slopes = np.append(np.diff(values) / np.diff(points), 0.0)
    point, value, slope = _looked_up(graph, x, points, points, values, slopes)
    line = graph.op("Add", graph.op("Mul", slope, graph.op("Sub", x, point)), value)
    found = _at_points(graph, x, points, values, point, value, line)
    if model.out_of_bounds == "nan" and len(points) > 1:
        # With a single point scikit-learn predicts its value everywhere.
        for outside in (_less(graph, x, points[0]), _greater(graph, x, points[-1])):
            found = graph.op("Where", outside, graph.constant(np.nan), found)
    outputs.prediction(graph, found)


def of_mllib(graph: Graph, x: str, model: Any, parts: Sequence[Any], signature: Signature) -> None:
    """y + (y' - y)·(x - p) / (p' - p) between points, in this order; outside of them the nearest point's value."""
    points, values = model.boundaries.toArray(), model.predictions.toArray()
    rises, widths = np.append(np.diff(values), 0.0), np.append(np.diff(points), 1.0)
    point, value, rise, width = _looked_up(graph, x, points, points, values, rises, widths)
    share = graph.op("Div", graph.op("Mul", rise, graph.op("Sub", x, point)), width)
    outputs.prediction(graph, _at_points(graph, x, points, values, point, value, graph.op("Add", value, share)))


def _looked_up(graph: Graph, x: str, points: _Array, *columns: _Array) -> list[str]:
    """A lookup of the last point that is not after x (the first if all are): the values of each column there, [rows, 1]
    each.

    A balanced tree in a TreeEnsemble node does the binary search, in about log₂(points) comparisons.
    """
    found = trees.emit(graph, x, [_search(points, np.column_stack(columns))], len(columns))
    return [graph.op("Gather", found, graph.constant([k], np.int64), axis=1) for k in range(len(columns))]


def _search(points: _Array, columns: _Array) -> trees.Tree:
    """A balanced search tree over the points, whose leaves are the rows of the columns. A node's children come after
    it."""
    feature: list[int] = []
    thresholds, left, right, rows = list[float](), list[int](), list[int](), list[int]()
    waiting = [(0, len(points), trees.LEAF, left)]
    while waiting:
        first, end, parent, side = waiting.pop()
        node, middle = len(left), (first + end) // 2
        if parent != trees.LEAF:
            side[parent] = node
        is_leaf = end - first == 1
        feature.append(0)
        # The tree tests x ≤ threshold, so x < point becomes x ≤ the largest double below the point.
        thresholds.append(0.0 if is_leaf else float(np.nextafter(points[middle], -np.inf)))
        left.append(trees.LEAF)
        right.append(trees.LEAF)
        rows.append(first)
        if not is_leaf:
            waiting += [(first, middle, node, left), (middle, end, node, right)]
    return trees.Tree(
        feature=np.array(feature),
        threshold=np.array(thresholds),
        left=np.array(left),
        right=np.array(right),
        missing_left=np.zeros(len(left), dtype=bool),
        weights=columns[rows],
    )


def _at_points(graph: Graph, x: str, points: _Array, values: _Array, point: str, value: str, line: str) -> str:
    """The line, except that x at a point gets that point's value and x outside all points gets the nearest one's:
    there the line could be 0·∞ = NaN."""
    found = graph.op("Where", graph.op("Equal", x, point), value, line)
    found = graph.op("Where", _less(graph, x, points[0]), graph.constant(values[0]), found)
    return graph.op("Where", _greater(graph, x, points[-1]), graph.constant(values[-1]), found)


def _less(graph: Graph, x: str, value: float) -> str:
    return graph.op("Less", x, graph.constant(value))


def _greater(graph: Graph, x: str, value: float) -> str:
    return graph.op("Greater", x, graph.constant(value))
