"""Estimators that take missing numbers themselves: both engines send a NULL where the library sends NaN."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from helpers.engine_pairs import compare
from helpers.gappy_fits import fit as _fit
from helpers.gappy_fits import gappy_table as _table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.mark.parametrize(
    ("estimator", "target", "gaps"),
    [
        ("sklearn.hist_gradient_boosting", "label", True),
        ("sklearn.hist_gradient_boosting", "amount", False),
        ("sklearn.random_forest", "amount", True),
        ("sklearn.decision_tree", "label", False),
    ],
)
def test_both_engines(
    spark: SparkSession, registry_folder: Path, tmp_path: Path, estimator: str, target: str, gaps: bool
) -> None:
    """Rows with gaps, where the training had some and where it had none."""
    rows = _table(60).drop_columns(["amount", "label"])
    nothing = pa.table({name: pa.nulls(1, rows.schema.field(name).type) for name in rows.column_names})
    full = rows.set_column(2, "nothing", pa.array(np.linspace(-2.0, 2.0, 60)))
    fitted = _fit(estimator, target, _table(gaps=gaps))
    asked = pa.concat_tables([rows, nothing, full])
    assert compare(spark, registry_folder, fitted, asked, tmp_path), f"{estimator} is compiled"
