"""The table sqlml.model_versions: one row per version of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlml.tables.table import Row, Table

if TYPE_CHECKING:
    from sqlml.registry import Registry


def _rows(registry: Registry) -> list[Row]:
    return [
        (
            version.name,
            version.version,
            list(version.aliases),
            version.estimator,
            version.task,
            version.target,
            version.comment,
            version.tags,
            version.created,
            version.digest,
            version.run_id,
        )
        for version in registry.records().versions
    ]


MODEL_VERSIONS = Table(
    "model_versions",
    "One row for each version of a model",
    """
    model STRING COMMENT 'sqlml.models.name',
    version INT COMMENT 'As in PREDICT(\\'model/version\\', …)',
    aliases ARRAY<STRING> COMMENT 'Its aliases',
    estimator STRING COMMENT 'The estimator; NULL if sqlml did not train it',
    task STRING COMMENT 'classification, regression, …',
    target STRING COMMENT 'The column that it predicts; NULL if there is none',
    comment STRING COMMENT 'The comment of the version',
    tags MAP<STRING,STRING> COMMENT 'From TAGS, or set in MLflow',
    created TIMESTAMP COMMENT 'When it was registered',
    digest STRING COMMENT 'SHA-256 of its ONNX graph',
    run_id STRING COMMENT 'sqlml.training_runs.run_id, and the run in MLflow'
    """,
    _rows,
)
