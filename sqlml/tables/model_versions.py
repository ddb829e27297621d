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
    "One row a version of a model",
    """
    model STRING COMMENT 'sqlml.models.name',
    version INT COMMENT 'As in PREDICT(\\'model/version\\', …)',
    aliases ARRAY<STRING> COMMENT 'The aliases that stand for it',
    estimator STRING COMMENT 'What trained it; NULL where that was not sqlml',
    task STRING COMMENT 'classification, regression, …',
    target STRING COMMENT 'The column it predicts; NULL where it has none',
    comment STRING COMMENT 'The version\\'s own',
    tags MAP<STRING,STRING> COMMENT 'From TAGS, or set in MLflow',
    created TIMESTAMP COMMENT 'When it was registered',
    digest STRING COMMENT 'SHA-256 of its ONNX graph',
    run_id STRING COMMENT 'sqlml.training_runs.run_id, and the run in MLflow'
    """,
    _rows,
)
