"""What is remembered of an enrichment, and what has become of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

# A property of a view or a table, and a word in a function's comment, with the record's id.
MARK = "sqlml.enrichment"
# The kinds that ask for the model whenever they are read.
ASKS = ("view", "function")


@dataclass(frozen=True)
class Record:
    """One enrichment as it was made.

    Attributes:
        id: what the object is marked with; "" in a catalog that keeps no marks.
        name: of the object, with catalog and schema.
        kind: `view`, `table`, `insert` or `function`.
        source: the table, or `the query`.
        reference: the model as it was written: `churn`, `churn/3`, `churn@champion`.
        version, run_id: of the model when it was made. The run tells the version from all others, also where the model
            has another name now, or another model has the same graph.
    """

    id: str
    name: str
    kind: str
    source: str
    model: str
    version: int
    run_id: str
    reference: str
    created: datetime
    created_by: str
    sql: str

    @property
    def mark(self) -> tuple[str, str] | None:
        """What is on the object; None for an insert, whose table is somebody's own, and where no mark is kept."""
        return None if self.kind == "insert" or not self.id else (MARK, self.id)


@dataclass(frozen=True)
class Remembered:
    """The same as it is now.

    Attributes:
        model: what the model is called now; as it was, where it is gone.
        newest: the model's newest version; None where it has none.
        follows: whether it scores with whatever version the reference means at the time.
        is_newest: whether what it says is the newest version's word; None where the model is gone.
    """

    record: Record
    model: str
    newest: int | None
    follows: bool
    is_newest: bool | None
