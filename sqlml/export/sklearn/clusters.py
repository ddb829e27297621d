"""Emitters of scikit-learn's models by the nearest centre, and of its linear outlier detector."""

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
