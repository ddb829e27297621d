"""The definition of a registry table: its name, schema and rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlml.registry import Registry

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """A table of the registry.

    Attributes:
        schema: its columns as Spark DDL, each with a comment. The first column is the model's name.
        rows: reads its current rows, in any order.
    """

    name: str
    comment: str
    schema: str
    rows: Callable[[Registry], list[Row]]
