"""The error function of graphs, in float64, which ONNX Runtime does not have; and the classifier that needs it."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pyarrow as pa
import pytest
import scipy.special
from helpers.sklearn_fits import fit as _fit
from helpers.sklearn_fits import signature_of as _signature
from numpy.typing import NDArray

from sqlml.errors import SqlmlError
from sqlml.estimators.sklearn import model
from sqlml.export.error_function import erf
from sqlml.export.graph import DOUBLE, Graph
from sqlml.scoring.scorer import Scorer


def _erf(x: NDArray[np.float64]) -> NDArray[np.float64]:
    graph = Graph()
    graph.output("y", erf(graph, graph.input("x", DOUBLE)), DOUBLE, 1)
    session = onnxruntime.InferenceSession(graph.model().SerializeToString(), providers=["CPUExecutionProvider"])
    found: NDArray[np.float64] = session.run(None, {"x": x.reshape(-1, 1)})[0].ravel()
    return found


def test_it_is_that_of_scipy() -> None:
    x = np.linspace(-7.0, 7.0, 400_001)
    assert np.abs(_erf(x) - scipy.special.erf(x)).max() <= 4e-16
    small = np.logspace(-320, -1, 2_000)
    assert _erf(small) == pytest.approx(scipy.special.erf(small), rel=1e-15, abs=0.0)
    borders = [side for x in (0.46875, 4.0, 6.0) for side in (np.nextafter(x, 0.0), x, np.nextafter(x, 9.0))]
    hard = np.array([*borders, 0.0, 27.0, 1e200, 1.7e308, np.inf, np.nan])
    for side in (hard, -hard):
        assert _erf(side) == pytest.approx(scipy.special.erf(side), rel=4e-16, abs=0.0, nan_ok=True)


def _iris(classes: int) -> pa.Table:
    from sklearn.datasets import load_iris

    data = load_iris()
    some = data.target < classes
    return pa.table({f"x{k}": data.data[some, k] for k in range(4)} | {"three": data.target[some]})


@pytest.mark.parametrize("classes", [2, 3])
def test_a_gaussian_process_knows_its_probabilities(classes: int) -> None:
    """Also far from all rows, where the training says nothing: both classes are equally likely there."""
    signature = _signature("three", {f"x{k}": "double" for k in range(4)}, "bigint")
    fitted = _fit("sklearn.gaussian_process", signature, _iris(classes))
    assert fitted.fidelity.max_abs_diff <= 1e-11
    assert fitted.metrics["accuracy"] > 0.9 and fitted.signature.probabilities
    far = [pa.array([value]) for value in (1e9, -1e9, 1e9, -1e9)]
    (said,) = Scorer(fitted.onnx, fitted.signature).probabilities(far).to_pylist()
    assert dict(said) == pytest.approx(dict.fromkeys(range(classes), 1.0 / classes), abs=1e-6)


def test_a_gaussian_process_is_not_larger_than_a_model_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "_MOST_CELLS_OF_MATRICES", 3 * 100**2)
    signature = _signature("three", {"x0": "double"}, "bigint")
    with pytest.raises(SqlmlError, match="with 3 classes can train on at most 100 rows, but there are 120") as found:
        _fit("sklearn.gaussian_process", signature, _iris(3))
    assert found.value.condition == "SQLML_TOO_MANY_ROWS"
