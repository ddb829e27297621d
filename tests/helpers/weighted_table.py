"""A table with a column that says what is held out, and one that says how much a row counts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa


def weighted_table(rows: int = 100) -> pa.Table:
    number = np.arange(rows)
    return pa.table(
        {
            "x": number.astype(float),
            "day": pa.array(number % 30, pa.int32()).cast(pa.date32()),
            "test": pa.array([None if n % 7 == 0 else bool(n % 5 == 0) for n in number]),
            "weight": pa.array(np.where(number < 50, 1.0, 0.0)),
            "two": ["a" if n % 3 else "b" for n in number],
            "amount": np.where(number < 50, 2.0, 1000.0) * number,
        }
    )
