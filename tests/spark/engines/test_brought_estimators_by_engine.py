"""Fitted scikit-learn models under both engines, with missing, unseen and infinite values."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from helpers import brought_estimators
from helpers.brought_estimators import ESTIMATORS
from helpers.engine_pairs import compare
from helpers.fitted_models import customers

from sqlml.errors import SqlmlError
from sqlml.importing import sandbox
from sqlml.importing.loading import opened

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def _rows() -> pa.Table:
    """The rows of the fit, and for each column a row without it, one with an infinite and one with an unseen value."""
    known = customers()[["age", "income", "plan"]].head(40)
    usual = known.dropna().iloc[0].to_dict()
    hard = [
        usual | {column: value} for column in ("age", "income") for value in (np.nan, math.inf, -math.inf, 1e30, -0.0)
    ] + [usual | {"plan": plan} for plan in (None, "", "unheard of")]
    rows = pd.concat([known, pd.DataFrame(hard)], ignore_index=True)
    found = pa.Table.from_pandas(rows, preserve_index=False)
    return found.append_column("id", pa.array(range(len(found)), pa.int64()))


@pytest.mark.nightly
@pytest.mark.parametrize("name", ESTIMATORS)
def test_both_engines(
    spark: SparkSession, registry_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(
        sandbox, "tried", lambda content, request, rows, native, **_: opened(content, request, rows, native)
    )
    try:
        found = brought_estimators.converted(name, "columns")
    except SqlmlError as error:
        pytest.skip(f"refused: {brought_estimators.reason(error)}")
    rows = _rows().select(["id", *found.signature.names])
    # Where it returns False, the model is not compiled, and there is one engine.
    compare(spark, registry_folder, found, rows, tmp_path, tolerance=1e-9)
