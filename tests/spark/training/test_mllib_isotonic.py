"""Isotonic regression by MLlib: the graph's lines between points are the library's, and those of scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from helpers.isotonic import SIGNATURE as _SIGNATURE
from helpers.isotonic import hard_points as _hard
from helpers.isotonic import tied_table as _table
from helpers.sklearn_fits import fit as _fit

from sqlml.scoring.scorer import Scorer

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


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
