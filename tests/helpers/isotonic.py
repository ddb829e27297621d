"""What isotonic regression learns from, and where its lines are looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from helpers.sklearn_fits import signature_of

SIGNATURE = signature_of("amount", {"x": "double"})


def tied_table(rows: int = 300) -> pa.Table:
    """Ties, gaps, both zeros, an end beyond 2^24, a flat stretch."""
    dice = np.random.default_rng(7)
    x = np.round(dice.normal(size=rows) * 3.0, 1)
    x[:8] = [0.0, -0.0, 2.0**24, 2.0**24 + 1.0, -1e9, 5e-324, 1e-3, 0.1]
    y = np.where(np.abs(x) < 1.0, 0.5, np.clip(x, -9.0, 9.0)) + dice.normal(size=rows)
    return pa.table({"x": pa.array(x, mask=dice.random(rows) < 0.1), "amount": y})


def hard_points(points: Any) -> np.ndarray:
    """On the points, one ulp beside them, between them, outside of all."""
    points = np.asarray(points)
    sides = [np.nextafter(points, -np.inf), points, np.nextafter(points, np.inf), points[:-1] + np.diff(points) / 3]
    return np.concatenate([*sides, [-0.0, 0.0, 1e300, -1e300, 5e-324]])
