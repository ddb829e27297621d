"""Emitter of squared Euclidean distances between rows and fixed points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sqlml.export.graph import Graph

# Memory limit of rows × points × width: 32 MB of doubles.
_CELLS = 4_000_000


def each(graph: Graph, x: str, shape: tuple[int, ...]) -> str:
    """x broadcast to points of this shape, [rows, 1, width]; limits the batch so that the differences fit into
    memory."""
    graph.most_rows(_CELLS // (shape[0] * shape[1]))
    return graph.op("Unsqueeze", x, graph.constant([1], np.int64))


def squares(graph: Graph, x: str, points: NDArray[np.float64], *, over: NDArray[np.float64] | None = None) -> str:
    """Σ (x - point)²: [rows, width] → [rows, points]. Not x² - 2x·p + p², which suffers from cancellation.

    Args:
        over: [points, width] divisors of each square.
    """
    apart = graph.op("Sub", each(graph, x, points.shape), graph.constant(points[np.newaxis]))
    terms = graph.op("Mul", apart, apart)
    if over is not None:
        terms = graph.op("Div", terms, graph.constant(over[np.newaxis]))
    return graph.op("ReduceSum", terms, graph.constant([2], np.int64), keepdims=0)
