"""Nearest-neighbour models of scikit-learn with a deterministic tie-breaking rule.

scikit-learn breaks ties in the order in which its search structures meet the rows. Here squared distances are rounded
to multiples of 2⁻³⁰, because equal distances differ in their last bits by the order of summation, and the row with the
lowest index wins. The graph does the same; see `sqlml/export/sklearn/neighbors.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import neighbors

from sqlml.jobs.ties import STEPS

# The most differences (rows · points · features) that are held in memory at once.
_CELLS = 4_000_000


def nearest(points: NDArray[np.float64], x: NDArray[np.float64], count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Euclidean distances and indices of the nearest points, each [rows, count]."""
    step = max(1, _CELLS // points.size)
    parts = [_nearest(points, x[start : start + step], count) for start in range(0, len(x), step)]
    distances, places = zip(*parts, strict=True) if parts else ((np.empty((0, count)),), (np.empty((0, count), int),))
    return np.concatenate(distances), np.concatenate(places)


def _nearest(points: NDArray[np.float64], x: NDArray[np.float64], count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    squares = np.square(x[:, np.newaxis, :] - points[np.newaxis]).sum(axis=2)
    places = np.argsort(np.round(squares * STEPS), axis=1, kind="stable")[:, :count]
    return np.sqrt(np.take_along_axis(squares, places, axis=1)), places


class _Nearest:
    """A mixin that overrides `kneighbors` by the rule above.

    Without X, which asks for the neighbours of the training rows, scikit-learn's own method answers.
    """

    def kneighbors(self: Any, X: Any = None, n_neighbors: int | None = None, return_distance: bool = True) -> Any:  # noqa: N803
        if X is None:
            return super().kneighbors(X, n_neighbors, return_distance)  # type: ignore[misc]
        distances, places = nearest(self._fit_X, np.asarray(X), n_neighbors or self.n_neighbors)
        return (distances, places) if return_distance else places


class KNeighborsClassifier(_Nearest, neighbors.KNeighborsClassifier):
    """scikit-learn's class with the module's tie-breaking rule."""


class KNeighborsRegressor(_Nearest, neighbors.KNeighborsRegressor):
    """scikit-learn's class with the module's tie-breaking rule."""


class LocalOutlierFactor(_Nearest, neighbors.LocalOutlierFactor):
    """scikit-learn's class with the module's tie-breaking rule."""
