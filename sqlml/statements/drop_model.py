"""DROP MODEL"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlml.errors import SqlmlError
from sqlml.parser.cursor import Cursor
from sqlml.parser.references import ModelReference
from sqlml.policy import DROP, READ
from sqlml.session import Session
from sqlml.statements.base import Statement


@dataclass(frozen=True)
class DropModel(Statement):
    """DROP MODEL [IF EXISTS] name [VERSION n]

    Drops a model with all its versions and aliases, or one version. A version that has an alias cannot be dropped
    alone. The MLflow runs of the trainings are kept. A running query continues with the version that it started with.
    Returns what was dropped, and no row if IF EXISTS found nothing.

    `warnings` names the views and functions of ENRICH TABLE that use the dropped model or version, and says whether
    they will fail or use another version. It is NULL if there are none. Tables keep their rows.

    Errors: SQLML_MODEL_NOT_FOUND, SQLML_VERSION_IN_USE.
    """

    HEADS: ClassVar = (("DROP", "MODEL"),)
    ACTION: ClassVar = DROP
    SCHEMA: ClassVar = "model STRING, versions INT, warnings STRING"

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
        return [(self.name, dropped, self._warnings(session))] if dropped else []

    def _warnings(self, session: Session) -> str | None:
        """A warning that names the views and functions that used the dropped version or model."""
        if not session.caller.may(READ, self.name):
            return None
        try:
            asking = [
                (one, ModelReference.parse(one.reference))
                for one in session.registry.enrichments_asking(self.name)
                if session.catalog.has(one.kind, one.name, one.mark) is not False
            ]
            left = [one.version for one in session.registry.versions(self.name)] if asking and self.version else []
        except SqlmlError as error:
            # The model has been dropped: a failure here must not fail the statement.
            return f"it is not known which views and functions use the model: {error.message}"
        newest = max(left, default=None)
        fail, change = [], []
        for one, reference in asking:
            if newest is None or reference.version == self.version:
                fail.append(f"{one.kind} {one.name}")
            elif reference.version is None and reference.alias is None and newest < (self.version or 0):
                change.append(f"{one.kind} {one.name}")
        sentences = []
        if fail:
            sentences.append(f"will fail: {', '.join(fail)}")
        if change:
            sentences.append(f"will score with version {newest}: {', '.join(change)}")
        return "; ".join(sentences) or None

    def sql(self) -> str:
        words = "DROP MODEL IF EXISTS" if self.if_exists else "DROP MODEL"
        return f"{words} {self.name}" + (f" VERSION {self.version}" if self.version is not None else "")
