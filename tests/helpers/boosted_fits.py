"""LightGBM and XGBoost, fitted with few trees."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from helpers.sklearn_fits import fit, plain_signature, signature_of
from sqlml.estimators import ESTIMATORS
from sqlml.jobs.job import Fitted

ROWS = {row.name: row for row in ESTIMATORS if row.name in ("lightgbm", "xgboost")}
# The largest difference that there is: LightGBM is float64 and so is its graph, XGBoost rounds to float32.
CLOSE = {"lightgbm": 1e-12, "xgboost": 1e-6}
_SMALL = {"n_estimators": 10}


def boost(name: str, target: str = "two", table: pa.Table | None = None, **changes: Any) -> Fitted:
    """Fitted with ten trees to the hostile columns, or to all columns of another table."""
    signature = changes.pop("signature", None) or (
        signature_of(target) if table is None else plain_signature(table, target)
    )
    params = {**_SMALL, **changes.pop("params", {})}
    return fit(name, signature, table, params=params, tolerance=CLOSE[name], **changes)
