"""The table sqlml.models: one row per model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlml.tables.table import Row, Table

if TYPE_CHECKING:
    from sqlml.registry import Registry


def _rows(registry: Registry) -> list[Row]:
    return [
        (
            model.name,
            model.versions,
            model.newest,
            model.aliases,
            model.estimator,
            model.task,
            model.target,
            model.comment,
            model.tags,
            model.created,
            model.updated,
        )
        for model in registry.models()
    ]


MODELS = Table(
    "models",
    "One row for each model, with estimator, task and target of its newest version",
    """
    name STRING COMMENT 'The name of the model in PREDICT and in statements',
    versions INT COMMENT 'The number of versions',
    newest_version INT COMMENT 'The version that the bare name means; NULL if there is none',
    aliases MAP<STRING,INT> COMMENT 'Each alias and its version',
    estimator STRING COMMENT 'The estimator of the newest version; NULL if sqlml did not train it',
    task STRING COMMENT 'classification, regression, …',
    target STRING COMMENT 'The column that it predicts; NULL if there is none',
    comment STRING COMMENT 'From COMMENT, or MLflow\\'s description',
    tags MAP<STRING,STRING> COMMENT 'The tags of the model',
    created TIMESTAMP COMMENT 'When its first version was registered',
    updated TIMESTAMP COMMENT 'When it last changed'
    """,
    _rows,
)
