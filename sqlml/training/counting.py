"""One pass over the query's rows: how many there are, how many classes, and their fingerprint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlml.lineage import Fingerprint
from sqlml.printing import quote_identifier
from sqlml.signature import INTEGERS, Feature


@dataclass(frozen=True)
class Counted:
    """What one pass has found.

    Attributes:
        rows: of the query.
        labelled: rows with a target.
        distinct: different targets; only counted where the task depends on it.
        fingerprint: of the columns that are learned from.
    """

    rows: int
    labelled: int
    distinct: int
    fingerprint: str


def count(frame: Any, columns: Sequence[Feature], target: Feature | None, *, task: str | None) -> Counted:
    """Counts the rows of a Spark DataFrame.

    Args:
        columns: those that are learned from, each once, the target among them.
        task: the one that was asked for, if any.
    """
    fingerprint = Fingerprint([(column.name, column.type) for column in columns])
    labelled, distinct = "count(*)", "0L"
    if target is not None:
        column = quote_identifier(target.name)
        labelled = f"count({column})"
        if target.type in INTEGERS and task is None:
            distinct = f"count(DISTINCT {column})"
    hashes = fingerprint.aggregates([quote_identifier(column.name) for column in columns])
    rows, with_target, classes, *hashed = frame.selectExpr("count(*)", labelled, distinct, *hashes).first()
    return Counted(rows, with_target, classes, fingerprint.of(rows, *hashed))
