"""The table sqlml.training_runs: one row per training run, and per trial of its search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlml.tables.table import Row, Table

if TYPE_CHECKING:
    from sqlml.registry import Registry


def _rows(registry: Registry) -> list[Row]:
    return [
        (
            run.model,
            run.version,
            run.run_id,
            run.parent_run_id,
            run.status,
            run.estimator,
            run.user,
            run.started,
            run.ended,
            (run.ended - run.started).total_seconds() if run.ended else None,
            run.sql,
            run.error,
        )
        for run in registry.records().runs
    ]


TRAINING_RUNS = Table(
    "training_runs",
    "One row a training, whether it registered a version or not, and one a trial of its search",
    """
    model STRING COMMENT 'The model it was for',
    version INT COMMENT 'The version it registered; NULL for none, or one that was dropped',
    run_id STRING COMMENT 'The run in MLflow',
    parent_run_id STRING COMMENT 'Of a trial, the training it was part of',
    status STRING COMMENT 'RUNNING, FINISHED, FAILED, or KILLED where it was cancelled',
    estimator STRING COMMENT 'What was fitted',
    user STRING COMMENT 'Who trained, as the session names them',
    started TIMESTAMP COMMENT 'When the statement began',
    ended TIMESTAMP COMMENT 'NULL while it runs',
    seconds DOUBLE COMMENT 'From begin to end',
    sql STRING COMMENT 'The statement',
    error STRING COMMENT 'Why it failed'
    """,
    _rows,
)
