"""SHOW TRIALS"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlml.errors import SqlmlError
from sqlml.parser.cursor import Cursor
from sqlml.parser.references import ModelReference
from sqlml.policy import READ
from sqlml.session import Session
from sqlml.statements.base import Statement


@dataclass(frozen=True)
class ShowTrials(Statement):
    """SHOW TRIALS name [VERSION n | ALIAS alias]

    Returns the trials of the search that a version came from, by default the newest version: a search by USING auto, or
    over hparam_range or hparam_candidates. Trials are ordered by score, the best first, and failed trials come last.
    `best` marks the trial whose model was registered. `sample` is the number of rows that a trial was trained on, if
    that was a sample. There are no rows for a version that was trained without a search.

    Errors: SQLML_MODEL_NOT_FOUND.
    """

    HEADS: ClassVar = (("SHOW", "TRIALS"),)
    ACTION: ClassVar = READ
    SCHEMA: ClassVar = (
        "trial INT, estimator STRING, params MAP<STRING,STRING>, metric STRING, score DOUBLE, seconds DOUBLE,"
        " error STRING, best BOOLEAN, sample BIGINT"
    )

    model: ModelReference
    model_offset: int | None = field(default=None, compare=False)

    @property
    def models(self) -> tuple[str, ...]:
        return (self.model.name,)

    @classmethod
    def parse(cls, cursor: Cursor) -> ShowTrials:
        cursor.expect("SHOW", "TRIALS")
        offset = cursor.offset
        return cls(cursor.model_reference(), offset)

    def run(self, session: Session) -> list[tuple[Any, ...]]:
        try:
            version = session.registry.load(self.model)
        except SqlmlError as error:
            raise error.at(self.model_offset) from None
        return [
            (
                one.trial,
                one.estimator,
                {name: str(value) for name, value in one.params.items()},
                one.metric,
                one.score,
                one.seconds,
                one.error,
                one.best,
                one.sample,
            )
            for one in version.trials
        ]

    def sql(self) -> str:
        return f"SHOW TRIALS {self.model.sql()}"
