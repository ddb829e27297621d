"""SHOW MODELS"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from sqlml.parser.cursor import Cursor
from sqlml.parser.generator import quote_string
from sqlml.policy import READ
from sqlml.session import Session
from sqlml.statements.base import Statement


@dataclass(frozen=True)
class ShowModels(Statement):
    """SHOW MODELS [LIKE 'pattern']

    Returns one row for each registered model, by name. In the pattern `*` matches any characters, and `|` separates
    alternatives, as in Spark's SHOW TABLES.
    """

    HEADS: ClassVar = (("SHOW", "MODELS"),)
    ACTION: ClassVar = READ
    SCHEMA: ClassVar = (
        "model STRING, versions INT, newest INT, aliases STRING, estimator STRING, task STRING, target STRING,"
        " comment STRING, created TIMESTAMP"
    )

    pattern: str | None = None

    @property
    def models(self) -> tuple[str, ...]:
        return ()

    @classmethod
    def parse(cls, cursor: Cursor) -> ShowModels:
        cursor.expect("SHOW", "MODELS")
        return cls(cursor.string() if cursor.accept("LIKE") else None)

    def run(self, session: Session) -> list[tuple[Any, ...]]:
        return [
            (
                model.name,
                model.versions,
                model.newest,
                ", ".join(f"{alias} = {version}" for alias, version in sorted(model.aliases.items())),
                model.estimator,
                model.task,
                model.target,
                model.comment,
                model.created,
            )
            for model in session.registry.models(self.pattern)
            if session.caller.may(READ, model.name)
        ]

    def sql(self) -> str:
        return "SHOW MODELS" + (f" LIKE {quote_string(self.pattern)}" if self.pattern is not None else "")
