"""Neighbours within a radius: its edge, rows without any, and the radius that follows from the rows."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from helpers.sklearn_fits import fit as _fit
from helpers.sklearn_fits import hostile_table as _table
from helpers.sklearn_fits import plain_signature as _plain
from sklearn import neighbors

from sqlml.errors import SqlmlError
from sqlml.estimators.sklearn.neighbors import RadiusNeighborsRegressor, nearest, usual_radius
from sqlml.export.graph import DOUBLE, Graph
from sqlml.export.sklearn.neighbors import radius_regressor
from sqlml.scoring.scorer import Scorer
from sqlml.signature import Feature, Signature


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("radius", [0.0, 1.0, math.sqrt(2.0), 2.0, math.sqrt(5.0)])
def test_points_on_the_edge_are_inside(radius: float, weights: str) -> None:
    """Of a grid, moved so that no coordinate is exact: graph and class count as on whole numbers."""
    grid = np.array(list(itertools.product(range(-3, 4), repeat=2)), dtype=np.float64)
    target = np.arange(len(grid)) ** 1.5
    moved = grid / 10.0 + 0.7
    own = RadiusNeighborsRegressor(radius / 10.0, weights=weights).fit(moved, target)
    # A little more than the radius, since scikit-learn compares rounded distances.
    wanted = neighbors.RadiusNeighborsRegressor(radius * (1.0 + 1e-9), weights=weights).fit(grid, target).predict(grid)
    assert own.predict(moved) == pytest.approx(wanted, rel=1e-9)
    graph = Graph()
    signature = Signature("regression", (Feature("x", "double"), Feature("y", "double")), "z", "double")
    radius_regressor(graph, graph.concat([graph.input("x", DOUBLE), graph.input("y", DOUBLE)]), own, signature)
    scorer = Scorer(graph.model().SerializeToString(), signature)
    assert scorer.label([pa.array(column) for column in moved.T]).to_pylist() == pytest.approx(wanted, rel=1e-9)


def _rows() -> pa.Table:
    x = np.concatenate([np.linspace(0.0, 1.0, 60), np.linspace(9.0, 10.0, 40)])
    return pa.table({"x": x, "two": ["left"] * 60 + ["right"] * 40, "amount": x * 2.0})


def _said(target: str, values: list[float], **params: Any) -> list[Any]:
    table = _rows().select(["x", target])
    kind = "string" if target == "two" else "double"
    fitted = _fit("sklearn.radius_neighbors", _plain(table, kind if target == "two" else ""), table, params=params)
    return Scorer(fitted.onnx, fitted.signature).label([pa.array(values)]).to_pylist()


def test_rows_without_neighbours() -> None:
    """The most frequent label, and no number."""
    assert _said("two", [0.4, 9.7, 5.0, 1e300]) == ["left", "right", "left", "left"]
    near, far, none, beyond = _said("amount", [0.5, 9.5, 5.0, -1e300], weights="distance")
    assert near == pytest.approx(1.0, abs=0.1) and far == pytest.approx(19.0, abs=0.1)
    assert math.isnan(none) and math.isnan(beyond)


def test_a_radius_without_any_neighbour_is_named() -> None:
    table = pa.table({"x": range(20), "amount": range(20)})
    with pytest.raises(SqlmlError, match="predictions for 4 of 4 rows are NaN") as found:
        _fit("sklearn.radius_neighbors", _plain(table), table, params={"radius": 1e-9})
    assert found.value.hint == "No row to learn from is within radius = 1e-09 of them."


def test_metrics_say_how_many_rows_they_leave_out() -> None:
    table = _table().select(["epoch", "place", "cents", "t.e`x t", "amount"])
    fitted = _fit("sklearn.radius_neighbors", _plain(table), table, params={"radius": 0.5})
    (said,) = fitted.warnings
    assert said.startswith("The metrics leave out rows without a prediction (NaN): ")
    assert fitted.metrics["rmse"] > 0.0


@pytest.mark.parametrize("rows", [1, 2, 5, 6, 500])
def test_the_usual_radius(rows: int) -> None:
    """Nine of ten rows have five others within it, and fewer within a slightly smaller one."""
    x = np.random.default_rng(rows).normal(size=(rows, 3))
    radius = usual_radius(x)
    if rows == 1:
        assert radius == 1.0
        return
    count = min(5, rows - 1)
    farthest = np.sort(nearest(x, x, rows)[0], axis=1)[:, count]
    assert 0.9 <= np.mean(farthest <= radius) <= 0.9 + 2.0 / rows or rows < 10
    assert np.quantile(farthest, 0.9) <= radius <= np.quantile(farthest, 0.9) * 1.01
    assert usual_radius(np.zeros((rows, 3))) == 0.0
