"""What scikit-learn's clusterings predict besides a label: the number of clusters, and a score for each of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from sqlml.errors import SqlmlError


def count(model: Any) -> int:
    """The number of clusters of a fitted model.

    Raises:
        SqlmlError: SQLML_ENGINE_FAILED if the fit found none.
    """
    if hasattr(model, "subcluster_labels_"):
        return int(model.subcluster_labels_.max()) + 1
    found = len(getattr(model, "weights_", getattr(model, "cluster_centers_", ())))
    if not found:
        raise SqlmlError(
            "SQLML_ENGINE_FAILED",
            f"The fit of {type(model).__name__} found no cluster: it did not converge.",
            hint="Raise max_iter or damping, or use another estimator.",
        )
    return found


def scores(model: Any, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """-‖x - centre‖ for each cluster: [rows, clusters]; of several centres the nearest.

    scikit-learn's `transform` where it has that for clusters. Others are not computed by its Euclidean distances:
    x² - 2x·c + c² suffers from cancellation, and their centres are training rows.
    """
    if hasattr(model, "subcluster_labels_"):
        distances = cdist(x, model.subcluster_centers_)
        labels = range(count(model))
        return -np.column_stack([distances[:, model.subcluster_labels_ == one].min(axis=1) for one in labels])
    if hasattr(model, "transform"):
        return -np.asarray(model.transform(x))
    return -cdist(x, model.cluster_centers_)
