"""Enforces the memory limit of scoring in a Python worker, spark.sqlml.scoring.memory, by splitting batches.

A single row can decide how much memory a graph takes. A batch that exceeds the limit is retried after the worker has
dropped its other models, and then in halves, since no answer depends on other rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlml.errors import SqlmlError
from sqlml.scoring import model_cache
from sqlml.settings import SCORING_MEMORY
from sqlml.system import memory
from sqlml.system.limits import limited_data

if TYPE_CHECKING:
    import pyarrow as pa

# The process's memory before it loaded its first model; and for each model the number of rows that fit.
_without_models: int | None = None
_fitting: dict[str, int] = {}


def scored(
    limit: int, digest: str, title: str, score: Callable[[Sequence[pa.Array]], pa.Array], columns: Sequence[pa.Array]
) -> pa.Array:
    """Returns the answers for a batch of rows.

    Args:
        limit: the most bytes that the models of this process and their scoring may take together.
        title: the model's name in the message.
        score: returns the answers for some rows; it loads the model itself.

    Raises:
        SqlmlError: SQLML_ENGINE_FAILED where one row takes more than the limit.
    """
    import pyarrow as pa

    rows = len(columns[0])
    step = min(_fitting.get(digest, rows), rows)
    parts: list[pa.Array] = []
    start = 0
    while start < rows or not parts:
        found = _attempt(limit, score, [column.slice(start, step) for column in columns])
        if found is not None:
            parts.append(found)
            start += step
        elif step <= 1:
            raise SqlmlError(
                "SQLML_ENGINE_FAILED",
                f"Model {title} needs more than the {limit} bytes of memory that {SCORING_MEMORY.key} allows, even"
                " for a single row.",
                hint="Either a value in the row makes a tensor that large, or the limit is too low for the model.",
            )
        else:
            step = _fitting[digest] = step // 2
    return parts[0] if len(parts) == 1 else pa.concat_arrays(parts)


def _attempt(
    limit: int, score: Callable[[Sequence[pa.Array]], pa.Array], columns: Sequence[pa.Array]
) -> pa.Array | None:
    """The answers, or None where they exceed the limit even without the other models of this process."""
    global _without_models
    if _without_models is None:
        _without_models = memory.data()
    for alone in (False, True):
        if alone:
            # Not inside the handler below, whose traceback keeps the model alive. Memory that remains now is not ours:
            # a UDF of the user's may keep data in the same process.
            model_cache.forget()
            memory.give_back()
            _without_models = memory.data()
        if _without_models is None:
            return score(columns)
        try:
            with limited_data(_without_models + limit):
                return score(columns)
        except MemoryError:
            continue
    return None
