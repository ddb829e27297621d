"""Isotonic regression: the graph's lines between points are the library's, on the points and one ulp beside them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnxruntime
import pytest
from helpers.isotonic import SIGNATURE as _SIGNATURE
from helpers.isotonic import hard_points as _hard
from helpers.isotonic import tied_table as _table
from helpers.sklearn_fits import fit as _fit
from sklearn.isotonic import IsotonicRegression

from sqlml.errors import SqlmlError
from sqlml.export import isotonic
from sqlml.export.graph import DOUBLE, Graph
from sqlml.signature import Signature


@pytest.mark.parametrize(
    "params",
    [{}, {"increasing": False}, {"increasing": "auto", "y_min": -1.0, "y_max": 2.0}, {"out_of_bounds": "nan"}],
)
def test_the_graph_interpolates_as_the_library(params: dict[str, Any]) -> None:
    fitted = _fit("sklearn.isotonic_regression", _SIGNATURE, _table(), params=params, curves=True)
    assert fitted.fidelity.max_abs_diff <= 1e-12
    assert fitted.params["out_of_bounds"] == params.get("out_of_bounds", "clip")
    assert "r2" in fitted.metrics and all(map(math.isfinite, fitted.metrics.values()))
    assert "error" not in fitted.curves


@pytest.mark.parametrize("out_of_bounds", ["clip", "nan"])
@pytest.mark.parametrize("rows", [1, 2, 3, 1000])
def test_every_point_and_its_neighbours(rows: int, out_of_bounds: str) -> None:
    """Without noise every row is a point; points a few ulps apart have slopes beyond the doubles."""
    dice = np.random.default_rng(rows)
    x = np.unique(np.concatenate([dice.normal(size=rows) * 100.0, [0.0, 1e-320, 2.0**53][: rows - 1]]))
    model = IsotonicRegression(out_of_bounds=out_of_bounds).fit(x, np.arange(len(x)) ** 1.5)
    graph = Graph()
    isotonic.of_sklearn(graph, graph.input("x", DOUBLE), model, Signature("regression", (), "y", "double"))
    session = onnxruntime.InferenceSession(graph.model().SerializeToString(), providers=["CPUExecutionProvider"])
    hard = _hard(x)
    with np.errstate(over="ignore", invalid="ignore"):
        expected = model.predict(hard)
    assert session.run(None, {"x": hard.reshape(-1, 1)})[0] == pytest.approx(expected, rel=1e-14, nan_ok=True)


def test_what_a_query_cannot_do() -> None:
    with pytest.raises(SqlmlError, match="out_of_bounds = 'raise' is not supported") as found:
        _fit("sklearn.isotonic_regression", _SIGNATURE, _table(), params={"out_of_bounds": "raise"})
    assert found.value.condition == "SQLML_OPTION_INVALID"
