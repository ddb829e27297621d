"""Emitters of PCA and truncated SVD: coordinates along principal components or singular vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from sqlml.export.graph import DOUBLE, Graph
from sqlml.signature import Signature


def principal(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """scikit-learn's PCA as a model."""
    _output(graph, principal_of(graph, x, model), signature)


def principal_of(graph: Graph, x: str, model: Any) -> str:
    """scikit-learn's PCA: (x - mean)·componentsᵀ, with `whiten` divided by the deviations: [rows, components]."""
    coordinates = graph.op("MatMul", x, graph.constant(np.ascontiguousarray(model.components_.T)))
    coordinates = graph.op("Sub", coordinates, graph.constant(model.mean_.reshape(1, -1) @ model.components_.T))
    if model.whiten:
        # A component without variance is divided by the machine epsilon, as in scikit-learn.
        deviations = np.maximum(np.sqrt(model.explained_variance_), np.finfo(np.float64).eps)
        coordinates = graph.op("Div", coordinates, graph.constant([deviations]))
    return coordinates


def singular(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """scikit-learn's TruncatedSVD: x·componentsᵀ."""
    _output(graph, graph.op("MatMul", x, graph.constant(np.ascontiguousarray(model.components_.T))), signature)


def of_mllib(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """MLlib's PCA, which does not centre x: x·components."""
    _output(graph, graph.op("MatMul", x, graph.constant(model.pc.toArray())), signature)


def _output(graph: Graph, coordinates: str, signature: Signature) -> None:
    graph.output("prediction", coordinates, DOUBLE, len(signature.outputs))
