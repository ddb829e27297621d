"""The records of enrichments: as they were made, and their current state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

# The key of a view's or table's property, and a word in a function's comment, with the record's id.
MARK = "sqlml.enrichment"
# The kinds of objects that score at each read.
ASKS = ("view", "function")


@dataclass(frozen=True)
class Record:
    """One enrichment as it was made.

    Attributes:
        id: the mark on the object; "" in a catalog that keeps no properties.
        name: the object's name with catalog and schema.
        kind: `view`, `table`, `insert` or `function`.
        source: the table, or `the query`.
        reference: the model as it was written: `churn`, `churn/3`, `churn@champion`.
        version, run_id: the model's version when it was made, and its run. The run identifies the version even when
            the model was renamed or another model has the same graph.
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
        """The key and value on the object; None for an insert, whose table is not ours, and where no mark is kept."""
        return None if self.kind == "insert" or not self.id else (MARK, self.id)


@dataclass(frozen=True)
class Remembered:
    """A record and its current state.

    Attributes:
        model: the model's current name; its old name where it is gone.
        newest: the model's newest version; None where it has none.
        follows: whether it scores with the version that the reference means at each read.
        is_newest: whether its predictions are the newest version's; None where the model is gone.
    """

    record: Record
    model: str
    newest: int | None
    follows: bool
    is_newest: bool | None
