"""SHOW CREATE MODEL"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from sqlml.errors import SqlmlError
from sqlml.lineage import DATABASE
from sqlml.parser.cursor import Cursor, Option
from sqlml.parser.references import ModelReference
from sqlml.policy import READ
from sqlml.session import Queries, Session
from sqlml.statements.base import Statement
from sqlml.statements.import_model import ImportModel
from sqlml.statements.pinned_tables import pinned
from sqlml.statements.train_model import TrainModel

if TYPE_CHECKING:
    from sqlml.registry import ModelVersion


@dataclass(frozen=True)
class ShowCreateModel(Statement):
    """SHOW CREATE MODEL name [VERSION n | ALIAS alias] [WITH VERSIONS]

    Shows the statement that trains a version again, by default the newest. The same rows give the same model, to the
    bit if the estimator is deterministic. The statement contains the values of defaults: the estimator with its
    library, the task, the share of held-out rows, and the seed. Instead of a search it contains the hyperparameters
    that the search found. Comment and tags are the current ones. For a version that was not trained by a statement, the
    text is a comment with its origin.

    Hyperparameters that were not given keep the defaults of the library. DESCRIBE MODEL EXTENDED shows their values,
    the versions of the libraries, and the database and settings with which the query was read.

    WITH VERSIONS adds VERSION AS OF to the tables of the query, with the version that the model was trained on: Delta's
    version or Iceberg's snapshot. The statement then reads the same rows, as long as the table keeps that version. A
    comment in front names what is read as it is now: tables of formats without versions, and what a view reads.

    Errors: SQLML_MODEL_NOT_FOUND.
    """

    HEADS: ClassVar = (("SHOW", "CREATE", "MODEL"),)
    ACTION: ClassVar = READ
    SCHEMA: ClassVar = "createmodel_stmt STRING"

    model: ModelReference
    with_versions: bool = False
    model_offset: int | None = field(default=None, compare=False)

    @property
    def models(self) -> tuple[str, ...]:
        return (self.model.name,)

    @classmethod
    def parse(cls, cursor: Cursor) -> ShowCreateModel:
        cursor.expect("SHOW", "CREATE", "MODEL")
        offset = cursor.offset
        return cls(cursor.model_reference(), cursor.accept("WITH", "VERSIONS"), offset)

    def run(self, session: Session) -> list[tuple[Any, ...]]:
        from sqlml.registry import ModelVersion

        try:
            version = session.registry.described(self.model)
        except SqlmlError as error:
            raise error.at(self.model_offset) from None
        if not isinstance(version, ModelVersion):
            where = f"with MLflow's own API, from {version.source}"
            return [(_comment(f"Version {version.version} of model {version.name} was registered {where}."),)]
        return [(_statement(version, session.queries if self.with_versions else None),)]

    def sql(self) -> str:
        return f"SHOW CREATE MODEL {self.model.sql()}" + (" WITH VERSIONS" if self.with_versions else "")


def _statement(version: ModelVersion, queries: Queries | None) -> str:
    """The stored statement with the version's current name, comment and tags.

    Args:
        queries: finds the tables of the query to pin them; None where they stay as they are.
    """
    # Documents of early releases have only the user's statement.
    text = version.statement or version.sql
    if not text:
        return _comment(
            f"Version {version.version} of model {version.name} was registered as a finished graph"
            f" ({version.library}), SHA-256 {version.digest}: no statement trains it."
        )
    cursor = Cursor(text)
    kind = next((one for one in (TrainModel, ImportModel) if any(cursor.sees(*head) for head in one.HEADS)), None)
    if kind is None:
        return text
    stored = kind.parse(cursor)
    tags = tuple(Option(key, value) for key, value in version.tags.items())
    stored = replace(stored, name=version.name, if_not_exists=False, comment=version.comment, tags=tags)
    if queries is None or not isinstance(stored, TrainModel):
        return stored.sql()
    text = queries.substituted(stored.query)
    query = pinned(text, queries.tables(text), version.lineage.sources, version.lineage.settings.get(DATABASE, ""))
    comments = [_comment(f"Not pinned: {one}.") for one in query.unpinned]
    return "\n".join([*comments, replace(stored, query=query.text).sql()])


def _comment(text: str) -> str:
    """A SQL comment on one line: text from others after a line break would be executable SQL."""
    return "-- " + " ".join(text.split())
