"""A statement's rows for a person (table) or a program (CSV, JSON)."""

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
    """How `sqlml sql` prints."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


# Types that PySpark would hand over changed (instants in the machine's own zone) or not at all: Spark's text is shown.
_AS_TEXT = ("timestamp", "interval", "variant", "geometry", "geography", "time(")
_NUMERIC = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")
_DIGITS = 6
# Characters: no column is folded to less, nor printed wider in a table that does not fit; what is around a cell.
_NARROWEST, _WIDEST, _MARGIN = 24, 60, 3
_EXACT_DIGITS = 15


class Result:
    """The rows of one statement, fetched once.

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
        """Every row, a partition of them in memory at a time; the first is there when this returns, or its error."""
        if self._frame is None:
            return iter(())
        rows = self._frame.toLocalIterator()
        return itertools.chain(list(itertools.islice(rows, 1)), rows)


def _selected(name: str, kind: str) -> str:
    quoted = f"`{name.replace('`', '``')}`"
    return f"CAST({quoted} AS STRING) AS {quoted}" if kind.startswith(_AS_TEXT) else quoted


def _unique(names: Iterable[str]) -> Iterator[str]:
    """Names with a number behind those that come again, whatever their case."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name.lower()] = count = seen.get(name.lower(), 0) + 1
        yield name if count == 1 else f"{name} ({count})"


def write(result: Result, head: Sequence[Sequence[Any]], form: Format, console: Console, limit: int) -> None:
    """Prints a result; a statement without columns prints nothing.

    Args:
        head: the first rows, one more than the limit where there are more; only a table needs them.
        limit: most rows of a table.
    """
    if not result.names:
        return
    if form is not Format.TABLE:
        (write_csv if form is Format.CSV else write_json)(result)
        return
    write_table(result, head[:limit], console)
    if len(head) > limit:
        console.print(f"[dim]The first {limit} rows; --rows shows more.[/dim]")


def write_csv(result: Result) -> None:
    rows = result.all()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(result.names)
    for row in rows:
        writer.writerow([_csv_cell(value) for value in row])
    sys.stdout.flush()


def write_json(result: Result) -> None:
    """An array of objects, an object a line."""
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
    """A table; a single row that is too wide for the terminal stands upright, a column a line."""
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
    # Texts are folded where that is enough; a table that is wider still runs over the terminal's edge, as its columns
    # would not be readable with a few letters each.
    needed = sum(min(width, _NARROWEST) + _MARGIN for width in widths)
    if needed > console.width:
        table.width = sum(min(width, _WIDEST) + _MARGIN for width in widths)
    console.print(table, crop=False, overflow="ignore")


def display(value: Any) -> str:
    """A value for a person: six digits, NULL for nothing, maps as `key=value`."""
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
    """A value as JSON has it: instants and long decimals as text, bytes as hexadecimal digits."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        # As far as every reader of JSON keeps the digits.
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
