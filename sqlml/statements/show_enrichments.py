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

    One row per view, table, function and insert that ENRICH TABLE has made, by name. In the pattern, which is for the
    full name, `*` stands for any characters and `|` separates alternatives.

    `version` is the model's when it was made. `follows`: whether it scores with whatever version the model, or its
    alias, has at the time; what was written to a table stays as it was. `is_newest`: whether what it says is the newest
    version's word; NULL where the model is gone or has another name now. `exists`: whether the object is there and
    still the one that ENRICH made; NULL where the user may not see that. Temporary objects are not listed.
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
