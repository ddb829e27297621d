"""Emitter of products of columns, for polynomial features of scikit-learn and MLlib."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sqlml.export.graph import Graph


def products(graph: Graph, x: str, factors: Sequence[Sequence[int]]) -> str:
    """The product of some columns of x for each list of their indices, multiplied from left to right.

    Gather → Mul, with a column of ones for the factors that a product lacks: [rows, columns] → [rows, products].
    """
    # x · 0 + 1 would be NaN for an infinite x.
    first = graph.op("Gather", x, graph.constant([0], np.int64), axis=1)
    ones = graph.op("Where", graph.op("Equal", first, first), graph.constant([[1.0]]), graph.constant([[1.0]]))
    with_one = graph.concat([ones, x])
    degree = max(1, *(len(each) for each in factors))
    indices = np.array([[*(place + 1 for place in each), *[0] * (degree - len(each))] for each in factors], np.int64)
    value = graph.op("Gather", with_one, graph.constant(indices[:, 0], np.int64), axis=1)
    for place in range(1, degree):
        factor = graph.op("Gather", with_one, graph.constant(indices[:, place], np.int64), axis=1)
        value = graph.op("Mul", value, factor)
    return value
