"""Warnings of a fit: sentences that TRAIN MODEL returns and DESCRIBE MODEL repeats.

A model with a warning is still registered; a fault that makes it unusable is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlml.jobs.job import LEAST_ROWS_TO_SPLIT, Job

# If more labels than this are affected, the others are abbreviated.
_MOST_LABELS_SHOWN = 5


def of_fit(
    metrics: Mapping[str, float],
    held_out: int,
    counts: Sequence[int],
    labels: Sequence[Any],
    target: str | None,
    unanswered: int = 0,
) -> tuple[str, ...]:
    """The warnings that depend on a fit's metrics and class counts.

    Args:
        held_out: the number of held-out rows; 0 if metrics are measured on training rows.
        counts: the number of rows of each class, held-out ones included; ignored without labels.
        unanswered: the number of measured rows without a prediction.
    """
    return (
        *_without_a_prediction(unanswered),
        *_worse_than_the_mean(metrics, held_out, target),
        *_single_rows(counts, labels, target),
    )


def of_training(job: Job, rows: int, held_out: int) -> tuple[str, ...]:
    """A warning if no rows were held out, although some should have been.

    Args:
        rows: the number of training rows.
    """
    if held_out or not job.test_fraction:
        return ()
    why = f", because {LEAST_ROWS_TO_SPLIT} rows are needed for a split" if rows < LEAST_ROWS_TO_SPLIT else ""
    learned = "training row" if rows == 1 else f"{rows} training rows"
    return (f"The metrics are measured on the {learned}: no row is held out{why}.",)


def _without_a_prediction(rows: int) -> list[str]:
    return [f"The metrics leave out rows without a prediction (NaN): {rows}."] if rows else []


def _worse_than_the_mean(metrics: Mapping[str, float], held_out: int, target: str | None) -> list[str]:
    if not held_out or not metrics.get("r2", 0.0) < 0.0:
        return []
    found = (
        f"r2 is {metrics['r2']:.4g} on the {held_out} held-out rows, so the mean of {target} would predict them better."
    )
    return [found]


def _single_rows(counts: Sequence[int], labels: Sequence[Any], target: str | None) -> list[str]:
    single = [label for label, count in zip(labels, counts, strict=True) if count == 1] if labels else []
    if not single:
        return []
    if len(single) == 1:
        return [
            f"The label {single[0]!r} of {target} has only one row, so its predictions cannot be measured on held-out"
            " rows."
        ]
    shown = ", ".join(map(repr, single[:_MOST_LABELS_SHOWN])) + (", …" if len(single) > _MOST_LABELS_SHOWN else "")
    have = f"{len(single)} labels of {target} have only one row each ({shown})"
    return [f"{have}, so their predictions cannot be measured on held-out rows."]
