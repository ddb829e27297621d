"""RETRAIN MODEL"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from sqlml.errors import SqlmlError
from sqlml.parser.cursor import Cursor
from sqlml.policy import TRAIN
from sqlml.session import Session
from sqlml.statements.base import Statement
from sqlml.statements.train_model import TrainModel


@dataclass(frozen=True)
class RetrainModel(Statement):
    """RETRAIN MODEL name [AS query]

    Runs the statement that trained the newest version again, on the current data, and adds a version. With AS query it
    trains on other rows, which must have the same target and the features that the statement names. The stored query
    runs in the current session, so its tables and views must exist. A text column that the newest version left out is
    left out again. A text column that the newest version learned from is kept, whatever its values are now.

    Returns the same row as TRAIN MODEL.

    Errors: SQLML_MODEL_NOT_FOUND, and those of TRAIN MODEL.
    """

    HEADS: ClassVar = (("RETRAIN", "MODEL"),)
    ACTION: ClassVar = TRAIN
    SCHEMA: ClassVar = TrainModel.SCHEMA

    name: str
    query: str | None = None
    starts_at: int = field(default=0, compare=False)
    name_offset: int | None = field(default=None, compare=False)

    @property
    def query_offset(self) -> int | None:
        return None if self.query is None else self.starts_at

    @property
    def models(self) -> tuple[str, ...]:
        return (self.name,)

    @classmethod
    def parse(cls, cursor: Cursor) -> RetrainModel:
        cursor.expect("RETRAIN", "MODEL")
        offset = cursor.offset
        name = cursor.model_name()
        if not cursor.accept("AS"):
            return cls(name, name_offset=offset)
        query, starts_at = cursor.query()
        return cls(name, query, starts_at, offset)

    def run(self, session: Session) -> list[tuple[Any, ...]]:
        # Imported late: parsing a statement must not import what only training needs.
        from sqlml.training import PreviousVersion

        try:
            version = session.registry.load(self.name)
            if version.imported:
                how = "imported" if version.sql else "registered from Python"
                raise SqlmlError(
                    "SQLML_OPTION_INVALID",
                    f"Model {self.name} cannot be retrained, because it was not trained by SQL but {how}.",
                    hint="Import a newer model."
                    if version.sql
                    else "Register a newer model with sqlml.register_model.",
                )
            # The version has its statement as text, which others may have written: training runs no command in it.
            stored = TrainModel.parse(Cursor(version.sql))
            query = stored.query if self.query is None else self.query
            before = PreviousVersion(version.signature.names, version.left_out)
            again = replace(
                stored, name=self.name, query=query, starts_at=self.starts_at, if_not_exists=False, before=before
            )
            return again.run(session)
        except SqlmlError as error:
            # The offset is one in the stored statement, which the user does not see.
            error.offset = self.name_offset
            raise

    def sql(self) -> str:
        words = f"RETRAIN MODEL {self.name}"
        return words if self.query is None else f"{words}\nAS {self.query}"
