"""The statements that sqlml adds to Spark SQL: each is one file here and one row of `STATEMENTS`."""

from __future__ import annotations

from sqlml.errors import SqlmlError
from sqlml.parser.cursor import Cursor
from sqlml.parser.leading_words import first_words
from sqlml.statements.alter_model import AlterModel
from sqlml.statements.base import Statement
from sqlml.statements.declare import Declare
from sqlml.statements.describe_model import DescribeModel
from sqlml.statements.drop_model import DropModel
from sqlml.statements.enrich_table import EnrichTable
from sqlml.statements.export_model import ExportModel
from sqlml.statements.import_model import ImportModel
from sqlml.statements.retrain_model import RetrainModel
from sqlml.statements.show_create_model import ShowCreateModel
from sqlml.statements.show_enrichments import ShowEnrichments
from sqlml.statements.show_model_versions import ShowModelVersions
from sqlml.statements.show_models import ShowModels
from sqlml.statements.show_trials import ShowTrials
from sqlml.statements.train_model import TrainModel

# An explicit list rather than discovery, so that the list is readable and imports have no side effects.
STATEMENTS: tuple[type[Statement], ...] = (
    AlterModel,
    Declare,
    DescribeModel,
    DropModel,
    EnrichTable,
    ExportModel,
    ImportModel,
    RetrainModel,
    ShowCreateModel,
    ShowEnrichments,
    ShowModelVersions,
    ShowModels,
    ShowTrials,
    TrainModel,
)

HEADS: dict[tuple[str, ...], type[Statement]] = {
    head: statement for statement in STATEMENTS for head in statement.HEADS
}

# Spark's own statements with the same first words: `DESCRIBE MODEL` describes a table called model. DECLARE without @
# is Spark's too.
_SPARKS_OWN = (("DESCRIBE", "MODEL"), ("DESC", "MODEL"))


def kind_of(text: str) -> type[Statement] | None:
    """Returns the class of the statement that a text begins like, or None."""
    words = first_words(text, max(map(len, HEADS)))
    kind = next((HEADS[head] for head in HEADS if words[: len(head)] == head), None)
    return None if kind is Declare and not Declare.is_meant(text) else kind


def parse(text: str) -> Statement | None:
    """The statement a text is, or None where it is not ours.

    Raises:
        SqlmlError: the text begins like one of our statements and is wrong; carries the place.
    """
    kind = kind_of(text)
    if kind is None:
        return None
    cursor = Cursor(text)
    for words_of_spark in _SPARKS_OWN:
        if cursor.accept(*words_of_spark) and cursor.at_end():
            return None
        cursor.rewind()
    if cursor.sees("CREATE"):
        kind = ImportModel if ImportModel.is_meant(cursor) else kind
        cursor.rewind()
    statement = kind.parse(cursor)
    cursor.expect_end()
    return statement


__all__ = ["HEADS", "STATEMENTS", "SqlmlError", "Statement", "kind_of", "parse"]
