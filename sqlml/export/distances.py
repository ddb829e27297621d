"""How far rows are from given points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sqlml.export.graph import Graph

# Rows × points × width held at once: 32 MB of doubles.
_CELLS = 4_000_000


def each(graph: Graph, x: str, shape: tuple[int, ...]) -> str:
    """x once for each of some points, [rows, 1, width], in batches that points of this shape leave memory for."""
    graph.most_rows(_CELLS // (shape[0] * shape[1]))
    return graph.op("Unsqueeze", x, graph.constant([1], np.int64))


def squares(graph: Graph, x: str, points: NDArray[np.float64], *, over: NDArray[np.float64] | None = None) -> str:
    """Σ (x - point)², as such and not by the expansion that cancels: [rows, width] → [rows, points].

    Args:
        over: [points, width] what each square is divided by.
    """
    apart = graph.op("Sub", each(graph, x, points.shape), graph.constant(points[np.newaxis]))
    terms = graph.op("Mul", apart, apart)
    if over is not None:
        terms = graph.op("Div", terms, graph.constant(over[np.newaxis]))
    return graph.op("ReduceSum", terms, graph.constant([2], np.int64), keepdims=0)
