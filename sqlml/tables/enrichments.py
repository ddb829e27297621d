"""The table sqlml.enrichments: one row per object that ENRICH TABLE has made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlml.tables.table import Row, Table

if TYPE_CHECKING:
    from sqlml.registry import Registry


def _rows(registry: Registry) -> list[Row]:
    return [
        (
            one.model,
            one.record.version,
            one.record.name,
            one.record.kind,
            one.record.source,
            one.record.reference,
            one.newest,
            one.is_newest,
            one.follows,
            one.record.created,
            one.record.created_by or None,
            one.record.sql,
        )
        for one in registry.enrichments()
    ]


ENRICHMENTS = Table(
    "enrichments",
    "One row for each view, table, function or insert that ENRICH TABLE created",
    """
    model STRING COMMENT 'The current name of the model',
    version INT COMMENT 'The version of the model at creation',
    name STRING COMMENT 'The name with catalog and schema',
    kind STRING COMMENT 'view, table, insert or function',
    source STRING COMMENT 'The table that was enriched',
    reference STRING COMMENT 'The reference to the model: churn, churn/3, churn@champion',
    newest_version INT COMMENT 'NULL if the model was dropped',
    is_newest BOOLEAN COMMENT 'Whether the predictions are those of the newest version; NULL if the model was dropped',
    follows BOOLEAN COMMENT 'Whether it scores with the current version of the reference',
    created TIMESTAMP COMMENT 'The time of creation',
    created_by STRING COMMENT 'The user, as Spark names them',
    sql STRING COMMENT 'The statement that created it'
    """,
    _rows,
)
