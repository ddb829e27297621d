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
    "One row for each training, also for those that failed, and one for each trial of a search",
    """
    model STRING COMMENT 'The model that was trained',
    version INT COMMENT 'The registered version; NULL if there is none, or it was dropped',
    run_id STRING COMMENT 'The MLflow run',
    parent_run_id STRING COMMENT 'For a trial, the run of its training',
    status STRING COMMENT 'RUNNING, FINISHED, FAILED, or KILLED if it was cancelled',
    estimator STRING COMMENT 'The estimator',
    user STRING COMMENT 'The user, as the session names them',
    started TIMESTAMP COMMENT 'The start of the statement',
    ended TIMESTAMP COMMENT 'NULL while it runs',
    seconds DOUBLE COMMENT 'The duration',
    sql STRING COMMENT 'The statement',
    error STRING COMMENT 'The error if it failed'
    """,
    _rows,
)
