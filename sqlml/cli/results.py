"""The output of results: as a table for people, or as CSV or JSON for programs."""

from __future__ import annotations

import csv
import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rich.console import Console


class Format(StrEnum):
    """The output formats of `sqlml sql`."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


# Types that PySpark returns changed (instants in the machine's time zone) or not at all: cast to strings by Spark.
_AS_TEXT = ("timestamp", "interval", "variant", "geometry", "geography", "time(")
_NUMERIC = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")
_DIGITS = 6
# In characters: the least width to which a column is folded, the most in a table that does not fit, a cell's padding.
_NARROWEST, _WIDEST, _MARGIN = 24, 60, 3
_EXACT_DIGITS = 15


class Result:
    """The rows of one statement.

    Args:
        frame: Spark's DataFrame.
    """

    def __init__(self, frame: Any) -> None:
        self.names = list(_unique(name for name, _ in frame.dtypes))
        self.types = [kind for _, kind in frame.dtypes]
        self._frame = (
            frame.toDF(*self.names).selectExpr(*map(_selected, self.names, self.types)) if self.names else None
        )

    def first(self, count: int) -> list[Sequence[Any]]:
        return [] if self._frame is None else list(self._frame.take(count))

    def all(self) -> Iterator[Sequence[Any]]:
        """All rows, one partition in memory at a time. The first is fetched at once, so that errors are raised here."""
        if self._frame is None:
            return iter(())
        rows = self._frame.toLocalIterator()
        return itertools.chain(list(itertools.islice(rows, 1)), rows)


def _selected(name: str, kind: str) -> str:
    quoted = f"`{name.replace('`', '``')}`"
    return f"CAST({quoted} AS STRING) AS {quoted}" if kind.startswith(_AS_TEXT) else quoted


def _unique(names: Iterable[str]) -> Iterator[str]:
    """Makes names unique, case-insensitively, by appending a number to repeated ones."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name.lower()] = count = seen.get(name.lower(), 0) + 1
        yield name if count == 1 else f"{name} ({count})"


def write(result: Result, head: Sequence[Sequence[Any]], form: Format, console: Console, limit: int) -> None:
    """Prints a result; a statement without columns prints nothing.

    Args:
        head: the first rows, one more than the limit if there are more; only the format `table` uses them.
        limit: the most rows to print in a table.
    """
    if not result.names:
        return
    if form is not Format.TABLE:
        (write_csv if form is Format.CSV else write_json)(result)
        return
    write_table(result, head[:limit], console)
    if len(head) > limit:
        console.print(f"[dim]The first {limit} rows. Use --rows to show more.[/dim]")


def write_csv(result: Result) -> None:
    rows = result.all()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(result.names)
    for row in rows:
        writer.writerow([_csv_cell(value) for value in row])
    sys.stdout.flush()


def write_json(result: Result) -> None:
    """Writes an array of objects, one per line."""
    rows = result.all()
    sys.stdout.write("[")
    separator = "\n"
    for row in rows:
        content = dict(zip(result.names, map(plain, row), strict=True))
        sys.stdout.write(separator + json.dumps(content, ensure_ascii=False))
        separator = ",\n"
    sys.stdout.write("\n]\n")
    sys.stdout.flush()


def write_table(result: Result, rows: Sequence[Sequence[Any]], console: Console) -> None:
    """Prints a table. A single row too wide for the terminal is printed vertically, one column per line."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    cells = [[display(value) for value in row] for row in rows]
    widths = [max(len(line[at]) for line in [result.names, *cells]) for at in range(len(result.names))]
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    if len(rows) == 1 and sum(widths) + _MARGIN * len(widths) > console.width:
        table.show_header = False
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for name, cell in zip(result.names, cells[0], strict=True):
            table.add_row(Text(name), Text(cell))
        console.print(table)
        return
    for name, kind, width in zip(result.names, result.types, widths, strict=True):
        justify: Literal["right", "left"] = "right" if kind.startswith(_NUMERIC) else "left"
        table.add_column(Text(name), justify=justify, overflow="fold", min_width=min(width, _NARROWEST))
    for line in cells:
        table.add_row(*map(Text, line))
    # Texts are folded where that makes the table fit. A table that is still too wide runs over the terminal's edge,
    # because columns of a few letters each would be unreadable.
    needed = sum(min(width, _NARROWEST) + _MARGIN for width in widths)
    if needed > console.width:
        table.width = sum(min(width, _WIDEST) + _MARGIN for width in widths)
    console.print(table, crop=False, overflow="ignore")


def display(value: Any) -> str:
    """Formats a value for people: six significant digits, NULL, maps as `key=value`."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 10 ** (2 * _DIGITS):
            return f"{value:.1f}"
        return f"{value:.{_DIGITS}g}" if abs(value) < 10**_DIGITS else f"{value:.10g}"
    if isinstance(value, (bytes, bytearray)):
        return f"{bytes(value[:16]).hex()}{'…' if len(value) > 16 else ''} ({len(value)} bytes)"
    if hasattr(value, "asDict"):
        value = value.asDict()
    if isinstance(value, dict):
        return ", ".join(f"{display(key)}={display(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(display, value))}]"
    return str(value)


def plain(value: Any) -> Any:
    """Converts a value to JSON's types: instants and long decimals become text, bytes hexadecimal digits."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        # JSON numbers are exact only up to 15 digits in every reader.
        return float(value) if len(value.as_tuple().digits) <= _EXACT_DIGITS else str(value)
    if hasattr(value, "asDict"):
        value = value.asDict()
    if isinstance(value, dict):
        return {key if isinstance(key, str) else json.dumps(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return str(value)


def _csv_cell(value: Any) -> Any:
    content = plain(value)
    if isinstance(content, bool):
        return str(content).lower()
    return json.dumps(content, ensure_ascii=False) if isinstance(content, (dict, list)) else content
