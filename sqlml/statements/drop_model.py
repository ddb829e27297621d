"""DROP MODEL"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlml.errors import SqlmlError
from sqlml.grammar import Cursor
from sqlml.policy import DROP
from sqlml.session import Session
from sqlml.statements.base import Statement


@dataclass(frozen=True)
class DropModel(Statement):
    """DROP MODEL [IF EXISTS] name [VERSION n]

    Removes a model with all its versions and aliases, or one version. A version that an alias points at is not dropped
    alone. The MLflow runs that trained it stay. A query that is already running goes on with the version it started
    with. Returns what was dropped; no row where IF EXISTS found nothing.

    Errors: SQLML_MODEL_NOT_FOUND, SQLML_VERSION_IN_USE.
    """

    HEADS: ClassVar = (("DROP", "MODEL"),)
    ACTION: ClassVar = DROP
    SCHEMA: ClassVar = "model STRING, versions INT"

    name: str
    version: int | None = None
    if_exists: bool = False
    name_offset: int | None = field(default=None, compare=False)

    @property
    def models(self) -> tuple[str, ...]:
        return (self.name,)

    @classmethod
    def parse(cls, cursor: Cursor) -> DropModel:
        cursor.expect("DROP", "MODEL")
        if_exists = cursor.accept("IF", "EXISTS")
        offset = cursor.offset
        name = cursor.model_name()
        version = cursor.positive_integer("a version number") if cursor.accept("VERSION") else None
        return cls(name, version, if_exists, offset)

    def run(self, session: Session) -> list[tuple[Any, ...]]:
        try:
            dropped = session.registry.drop(self.name, self.version, if_exists=self.if_exists)
        except SqlmlError as error:
            raise error.at(self.name_offset) from None
        return [(self.name, dropped)] if dropped else []

    def sql(self) -> str:
        words = "DROP MODEL IF EXISTS" if self.if_exists else "DROP MODEL"
        return f"{words} {self.name}" + (f" VERSION {self.version}" if self.version is not None else "")
