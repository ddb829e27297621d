"""SHOW MODEL VERSIONS"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlml.errors import SqlmlError
from sqlml.parser.cursor import Cursor
from sqlml.policy import READ
from sqlml.session import Session
from sqlml.statements.base import Statement


@dataclass(frozen=True)
class ShowModelVersions(Statement):
    """SHOW MODEL VERSIONS name

    Returns one row for each version of a model, the newest first: its aliases, its estimator, the metrics of its MLflow
    run, its comment and its tags. Estimator and task are NULL for a version that was registered with MLflow's own API.

    Errors: SQLML_MODEL_NOT_FOUND.
    """

    HEADS: ClassVar = (("SHOW", "MODEL", "VERSIONS"),)
    ACTION: ClassVar = READ
    SCHEMA: ClassVar = (
        "model STRING, version INT, aliases STRING, estimator STRING, task STRING, metrics MAP<STRING,DOUBLE>,"
        " comment STRING, tags MAP<STRING,STRING>, created TIMESTAMP, run_id STRING"
    )

    name: str
    name_offset: int | None = field(default=None, compare=False)

    @property
    def models(self) -> tuple[str, ...]:
        return (self.name,)

    @classmethod
    def parse(cls, cursor: Cursor) -> ShowModelVersions:
        cursor.expect("SHOW", "MODEL", "VERSIONS")
        offset = cursor.offset
        return cls(cursor.model_name(), offset)

    def run(self, session: Session) -> list[tuple[Any, ...]]:
        try:
            versions = session.registry.versions(self.name)
        except SqlmlError as error:
            raise error.at(self.name_offset) from None
        return [
            (
                one.name,
                one.version,
                ", ".join(one.aliases),
                one.estimator,
                one.task,
                one.metrics,
                one.comment,
                one.tags,
                one.created,
                one.run_id,
            )
            for one in versions
        ]

    def sql(self) -> str:
        return f"SHOW MODEL VERSIONS {self.name}"
