"""Nearest-neighbour models of scikit-learn with deterministic rules for equal distances and for the edge of a radius.

scikit-learn breaks ties in the order in which its search structures meet the rows. Here squared distances are rounded
to multiples of 2⁻³⁰, because equal distances differ in their last bits by the order of summation, and the row with the
lowest index wins. The graph does the same; see `sqlml/export/sklearn/neighbors.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import neighbors

from sqlml.jobs.ties import STEPS, largest_square

# The most differences (rows · points · features) that are held in memory at once.
_CELLS = 4_000_000
# The usual radius: so many other training rows are within it, for this share of the training rows.
_NEIGHBORS, _SHARE = 5, 0.9


def nearest(points: NDArray[np.float64], x: NDArray[np.float64], count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Euclidean distances and indices of the nearest points, each [rows, count]."""
    distances, places = [np.empty((0, count))], [np.empty((0, count), int)]
    for squares in _squares(points, x):
        places.append(np.argsort(np.round(squares * STEPS), axis=1, kind="stable")[:, :count])
        distances.append(np.sqrt(np.take_along_axis(squares, places[-1], axis=1)))
    return np.concatenate(distances), np.concatenate(places)


def _squares(points: NDArray[np.float64], x: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yields the squared distances of some rows at a time, [rows, points]."""
    step = max(1, _CELLS // points.size)
    for start in range(0, len(x), step):
        yield np.square(x[start : start + step, np.newaxis, :] - points[np.newaxis]).sum(axis=2)


def usual_radius(x: NDArray[np.float64]) -> float:
    """Returns the radius within which nine of ten training rows have five others, rounded up to three digits; 1 for a
    single row."""
    count = min(_NEIGHBORS, len(x) - 1)
    if count < 1:
        return 1.0
    distances, _ = neighbors.NearestNeighbors(n_neighbors=count).fit(x).kneighbors()
    radius = float(np.quantile(distances[:, -1], _SHARE))
    if radius == 0.0:
        return 0.0
    unit = 10.0 ** (2 - math.floor(math.log10(radius)))
    return math.ceil(radius * unit) / unit


class _Nearest:
    """A mixin that overrides `kneighbors` by the rule for ties.

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


class _WithinRadius:
    """A mixin that overrides `radius_neighbors` by the rule for the edge of a radius, and derives a radius that is not
    given from the training rows."""

    def fit(self: Any, X: Any, y: Any) -> Any:  # noqa: N803
        if self.radius is None:
            self.radius = usual_radius(np.asarray(X))
        return super().fit(X, y)  # type: ignore[misc]

    def radius_neighbors(
        self: Any,
        X: Any = None,  # noqa: N803
        radius: float | None = None,
        return_distance: bool = True,
        sort_results: bool = False,
    ) -> Any:
        if X is None:
            return super().radius_neighbors(X, radius, return_distance, sort_results)  # type: ignore[misc]
        limit = largest_square(self.radius if radius is None else radius)
        squares = [row for part in _squares(self._fit_X, np.asarray(X)) for row in part]
        places, distances = (np.empty(len(squares), dtype=object) for _ in range(2))
        for at, row in enumerate(squares):
            places[at] = np.flatnonzero(row <= limit)
            distances[at] = np.sqrt(row[places[at]])
        return (distances, places) if return_distance else places


class RadiusNeighborsClassifier(_WithinRadius, neighbors.RadiusNeighborsClassifier):
    """scikit-learn's class with the module's rule. A row without neighbours gets the most frequent label."""

    def __init__(self, radius: float | None = None, *, weights: str = "uniform", n_jobs: int | None = None) -> None:
        # scikit-learn answers by brute force without asking `radius_neighbors`.
        super().__init__(
            radius=radius, weights=weights, algorithm="kd_tree", outlier_label="most_frequent", n_jobs=n_jobs
        )


class RadiusNeighborsRegressor(_WithinRadius, neighbors.RadiusNeighborsRegressor):
    """scikit-learn's class with the module's rule. The answer to a row without neighbours is NaN."""

    def __init__(self, radius: float | None = None, *, weights: str = "uniform", n_jobs: int | None = None) -> None:
        super().__init__(radius=radius, weights=weights, algorithm="kd_tree", n_jobs=n_jobs)
