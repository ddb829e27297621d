"""Isotonic regression: the graph's lines between points are the library's, on the points and one ulp beside them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pyarrow as pa
import pytest
from sklearn.isotonic import IsotonicRegression
from test_estimators_sklearn import _fit, _signature

from sqlml.errors import SqlmlError
from sqlml.export import isotonic
from sqlml.export.graph import DOUBLE, Graph
from sqlml.scoring.scorer import Scorer
from sqlml.signature import Signature

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_SIGNATURE = _signature("amount", {"x": "double"})


def _table(rows: int = 300) -> pa.Table:
    """Ties, gaps, both zeros, an end beyond 2^24, a flat stretch."""
    dice = np.random.default_rng(7)
    x = np.round(dice.normal(size=rows) * 3.0, 1)
    x[:8] = [0.0, -0.0, 2.0**24, 2.0**24 + 1.0, -1e9, 5e-324, 1e-3, 0.1]
    y = np.where(np.abs(x) < 1.0, 0.5, np.clip(x, -9.0, 9.0)) + dice.normal(size=rows)
    return pa.table({"x": pa.array(x, mask=dice.random(rows) < 0.1), "amount": y})


def _hard(points: Any) -> np.ndarray:
    """On the points, one ulp beside them, between them, outside of all."""
    points = np.asarray(points)
    sides = [np.nextafter(points, -np.inf), points, np.nextafter(points, np.inf), points[:-1] + np.diff(points) / 3]
    return np.concatenate([*sides, [-0.0, 0.0, 1e300, -1e300, 5e-324]])


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


@pytest.mark.slow
@pytest.mark.parametrize("isotonic", [True, False])
def test_mllib_says_the_same(spark: SparkSession, isotonic: bool) -> None:
    """Compared with MLlib's own transform, on its points and beside them, and with scikit-learn's."""
    from pyspark.sql import functions as F

    from sqlml.estimators.mllib import columns
    from sqlml.estimators.mllib import training as mllib
    from sqlml.jobs.job import Job

    frame = spark.createDataFrame(_table())
    job = Job("mllib.isotonic_regression", _SIGNATURE, {"isotonic": isotonic}, 42, 0.0, 1e-9)
    learned: list[Any] = []

    def kept(model: Any, *arguments: Any, **others: Any) -> Any:
        learned.append(model)
        return compare(model, *arguments, **others)

    compare = mllib.compare
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mllib, "compare", kept)
        fitted = mllib.fit(job, frame, print, lambda: False)
    assert fitted.fidelity.max_abs_diff <= 1e-12
    (model,) = learned
    points = model.boundaries.toArray()
    assert (np.diff(points) > 0).all(), "of equal boundaries MLlib's binary search would find any"
    rows = spark.createDataFrame(pa.table({"x": _hard(points), "amount": np.zeros(len(_hard(points)))}))
    inside = columns.internal(rows, _SIGNATURE).select("f0")
    again = compare(model, fitted.onnx, inside.where(F.col("f0").isNotNull()), _SIGNATURE, fitted.preparation, 1e-12)
    assert again.rows > len(points)
    theirs = _fit(
        "sklearn.isotonic_regression", _SIGNATURE, _table(), params={"increasing": isotonic}, test_fraction=0.0
    )
    hard = [pa.array(_hard(points))]
    mine, other = (Scorer(one.onnx, one.signature).label(hard).to_pylist() for one in (fitted, theirs))
    assert mine == pytest.approx(other, abs=1e-9)


def test_what_a_query_cannot_do() -> None:
    with pytest.raises(SqlmlError, match="out_of_bounds = 'raise' is not supported") as found:
        _fit("sklearn.isotonic_regression", _SIGNATURE, _table(), params={"out_of_bounds": "raise"})
    assert found.value.condition == "SQLML_OPTION_INVALID"
