"""The table sqlml.metrics: one row per metric of a training run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlml.tables.table import Row, Table

if TYPE_CHECKING:
    from sqlml.registry import Registry


def _rows(registry: Registry) -> list[Row]:
    return [
        (run.model, run.version, run.run_id, metric, value)
        for run in registry.records().runs
        for metric, value in run.metrics.items()
    ]


METRICS = Table(
    "metrics",
    "One row for each metric of a training or trial, measured on held-out rows if there are any",
    """
    model STRING COMMENT 'sqlml.models.name',
    version INT COMMENT 'The measured version; NULL for a trial, or a training without a version',
    run_id STRING COMMENT 'sqlml.training_runs.run_id',
    metric STRING COMMENT 'The name as in the result of TRAIN MODEL: accuracy, roc_auc, r2, …',
    value DOUBLE
    """,
    _rows,
)
