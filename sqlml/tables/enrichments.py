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
    "One row a view, table, function or insert that ENRICH TABLE has made",
    """
    model STRING COMMENT 'What the model is called now',
    version INT COMMENT 'Its version when this was made',
    name STRING COMMENT 'With catalog and schema',
    kind STRING COMMENT 'view, table, insert or function',
    source STRING COMMENT 'The table that was enriched',
    reference STRING COMMENT 'The model as it was written: churn, churn/3, churn@champion',
    newest_version INT COMMENT 'NULL where the model is gone',
    is_newest BOOLEAN COMMENT 'Whether what it says is the word of the newest version; NULL where the model is gone',
    follows BOOLEAN COMMENT 'Whether it scores with whatever version the reference means at the time',
    created TIMESTAMP COMMENT 'When',
    created_by STRING COMMENT 'Who, as far as Spark knows',
    sql STRING COMMENT 'What made it'
    """,
    _rows,
)
