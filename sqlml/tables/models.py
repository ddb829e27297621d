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
    "One row a model; estimator, task and target are those of its newest version",
    """
    name STRING COMMENT 'What PREDICT and every statement call it',
    versions INT COMMENT 'How many versions there are',
    newest_version INT COMMENT 'What the bare name means; NULL where no version is left',
    aliases MAP<STRING,INT> COMMENT 'Each alias and the version it stands for',
    estimator STRING COMMENT 'What trained the newest version; NULL where that was not sqlml',
    task STRING COMMENT 'classification, regression, …',
    target STRING COMMENT 'The column it predicts; NULL where it has none',
    comment STRING COMMENT 'From COMMENT, or MLflow\\'s description',
    tags MAP<STRING,STRING> COMMENT 'The model\\'s own tags',
    created TIMESTAMP COMMENT 'When its first version was registered',
    updated TIMESTAMP COMMENT 'When it last changed'
    """,
    _rows,
)
