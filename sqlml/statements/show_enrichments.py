"""SHOW ENRICHMENTS"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from sqlml.parser.cursor import Cursor
from sqlml.parser.generator import quote_string
from sqlml.policy import READ
from sqlml.session import Session
from sqlml.statements.base import Statement


@dataclass(frozen=True)
class ShowEnrichments(Statement):
    """SHOW ENRICHMENTS [LIKE 'pattern']

    Returns one row for each view, table, function and insert that ENRICH TABLE created, by name. The pattern is for the
    full name; in it `*` matches any characters, and `|` separates alternatives.

    `version` is the version of the model at creation. `follows` is true if the object uses the current version of the
    model or of the alias; a table keeps the predictions that were written. `is_newest` is true if the predictions are
    those of the newest version, and NULL if the model was dropped or renamed. `exists` is true if the object still
    exists and is the one that ENRICH TABLE created, and NULL if the user may not see that. Temporary objects are not
    listed.
    """

    HEADS: ClassVar = (("SHOW", "ENRICHMENTS"),)
    ACTION: ClassVar = READ
    SCHEMA: ClassVar = (
        "name STRING, kind STRING, source STRING, model STRING, version INT, reference STRING, newest_version INT,"
        " is_newest BOOLEAN, follows BOOLEAN, created TIMESTAMP, created_by STRING, exists BOOLEAN"
    )

    pattern: str | None = None

    @property
    def models(self) -> tuple[str, ...]:
        return ()

    @classmethod
    def parse(cls, cursor: Cursor) -> ShowEnrichments:
        cursor.expect("SHOW", "ENRICHMENTS")
        return cls(cursor.string() if cursor.accept("LIKE") else None)

    def run(self, session: Session) -> list[tuple[Any, ...]]:
        rows = []
        for one in session.registry.enrichments(self.pattern):
            record = one.record
            if not session.caller.may(READ, one.model):
                continue
            rows.append(
                (
                    record.name,
                    record.kind,
                    record.source,
                    one.model,
                    record.version,
                    record.reference,
                    one.newest,
                    one.is_newest,
                    one.follows,
                    record.created,
                    record.created_by or None,
                    session.catalog.has(record.kind, record.name, record.mark),
                )
            )
        return rows

    def sql(self) -> str:
        return "SHOW ENRICHMENTS" + (f" LIKE {quote_string(self.pattern)}" if self.pattern is not None else "")
