"""Emitters of scikit-learn's models by the nearest centre, and of its linear and its Gaussian outlier detector."""

from __future__ import annotations

from typing import Any

import numpy as np

from sqlml.export import outputs
from sqlml.export.distances import squares
from sqlml.export.graph import Graph
from sqlml.signature import Signature


def k_means(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The nearest centre; scores are -‖x - centre‖."""
    scores = graph.op("Neg", graph.op("Sqrt", squares(graph, x, model.cluster_centers_)))
    outputs.classes(graph, signature, scores, outputs.first_largest(graph, scores))


def birch(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The cluster of the nearest subcluster; a cluster's score is that of its nearest one, -‖x - centre‖."""
    near = graph.op("Neg", graph.op("Sqrt", squares(graph, x, model.subcluster_centers_)))
    nearest = []
    for one in range(len(signature.labels)):
        own = np.flatnonzero(model.subcluster_labels_ == one)
        of_one = graph.op("Gather", near, graph.constant(own, np.int64), axis=1)
        nearest.append(graph.op("ReduceMax", of_one, graph.constant([1], np.int64), keepdims=1))
    scores = graph.concat(nearest)
    outputs.classes(graph, signature, scores, outputs.first_largest(graph, scores))


def bisecting_k_means(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The leaf of a binary tree: at each node the nearer of two centres, the left one on ties. Scores are
    -‖x - centre‖ of the leaves, so the largest may be another's."""
    scores = graph.op("Neg", graph.op("Sqrt", squares(graph, x, model.cluster_centers_)))
    shift = getattr(model, "_X_mean", 0.0)

    def leaf(node: Any) -> str:
        if node.left is None:
            return graph.constant([[node.label]], np.int64)
        both = squares(graph, x, np.stack([node.left.center, node.right.center]) + shift)
        left, right = (graph.op("Gather", both, graph.constant([k], np.int64), axis=1) for k in (0, 1))
        return graph.op("Where", graph.op("Less", right, left), leaf(node.right), leaf(node.left))

    found = leaf(model._bisecting_tree)
    if model._bisecting_tree.left is None:
        outputs.classes(graph, signature, scores, outputs.first_largest(graph, scores))
    else:
        position = graph.op("Squeeze", found, graph.constant([1], np.int64))
        outputs.classes(graph, signature, scores, position)


def elliptic_envelope(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """EllipticEnvelope: (x - location)·precision·(x - location) + offset, the squared Mahalanobis distance beyond that
    of the share `contamination` of the training rows."""
    apart = graph.op("Sub", x, graph.constant([model.location_]))
    terms = graph.op("Mul", graph.op("MatMul", apart, graph.constant(model.get_precision())), apart)
    distance = graph.op("ReduceSum", terms, graph.constant([1], np.int64), keepdims=1)
    outputs.anomaly(graph, signature, graph.op("Add", distance, graph.constant([[float(model.offset_)]])))


def one_class(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """SGDOneClassSVM: offset - x·β."""
    product = graph.op("MatMul", x, graph.constant(np.asarray(model.coef_).reshape(-1, 1)))
    outputs.anomaly(graph, signature, graph.op("Sub", graph.constant([np.ravel(model.offset_)]), product))


def nearest_centroid(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """Softmax of 2 log prior - ‖(x - centroid) / deviation‖² (Hastie, Tibshirani and Friedman 2009, 18.2).

    With equal priors the class is that of the nearest centroid, without regard to the deviations.
    """
    deviations = np.where(model.within_class_std_dev_ == 0.0, 1.0, model.within_class_std_dev_)
    scaled = graph.op("Div", x, graph.constant([deviations]))
    distances = squares(graph, scaled, model.centroids_ / deviations)
    scores = graph.op("Sub", graph.constant([2.0 * np.log(model.class_prior_)]), distances)
    if np.isclose(model.class_prior_, 1.0 / len(signature.labels)).all():
        position = outputs.first_largest(graph, graph.op("Neg", squares(graph, x, model.centroids_)))
    else:
        position = outputs.first_largest(graph, scores)
    outputs.classes(graph, signature, graph.op("Softmax", scores, axis=1), position)
