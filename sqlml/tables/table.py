"""What each table of the registry is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlml.registry import Registry

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        schema: its columns as Spark DDL, each with a comment. The first column is the model's name.
        rows: what it holds now, in any order.
    """

    name: str
    comment: str
    schema: str
    rows: Callable[[Registry], list[Row]]
