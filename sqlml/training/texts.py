"""Analysis of text columns: keys, which are left out of the features, and texts that hold numbers or dates, which are
reported.

A key has a different text in nearly every row, so nothing can be learned from it. Both are decided on all rows of the
query, so neither split nor seed has an influence.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.parser.generator import identifier, quote_identifier
from sqlml.signature import TEXT, Feature
from sqlml.training.request import Request

# With this many rows or fewer a useful text may be different in each of them.
_MOST_ROWS = 50
# From this share of different texts on, a column is a name or a key: one-hot, it would be memorised.
_SHARE = 0.9
# The first pass estimates distinct counts with this relative standard deviation. A column whose estimated share reaches
# `_SHARE_TO_COUNT` may really reach `_SHARE`, so its distinct texts are counted exactly.
_DEVIATION = 0.1
_SHARE_TO_COUNT = 0.5
# A text with fewer distinct values is a category, whatever it looks like.
_MOST_CATEGORIES = 20
# A column reads as numbers or dates if this share of its texts does; the others may be 'NA' or '?'.
_READABLE = 0.9

# The patterns have no backslash, because a Spark setting decides whether it escapes in a literal.
_NUMBER = "^ *[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)? *$"
_DATE = "^ *[0-9]{4}-[0-9]{1,2}-[0-9]{1,2} *$"
_TIMESTAMP = "^ *[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[ T][0-9]{1,2}:[0-9]{2}.*$"
_WORDS = {"DOUBLE": "numbers", "DATE": "dates", "TIMESTAMP": "timestamps"}


@dataclass(frozen=True)
class TextColumn:
    """Statistics of one text column over all rows.

    Attributes:
        rows: the number of rows that are not NULL.
        distinct: the number of different texts; an estimate if it is far from the limit.
        type: the type that nearly all texts can be cast to; None if there is none.
        all_readable: True if all texts can be cast.
    """

    name: str
    rows: int
    distinct: int
    type: str | None = None
    all_readable: bool = True

    @property
    def is_key(self) -> bool:
        """True if nearly every row has a different text."""
        return self.rows > _MOST_ROWS and self.distinct >= _SHARE * self.rows

    @property
    def reason(self) -> str:
        return f"{self.distinct} different values in {self.rows} rows"

    @property
    def reading(self) -> str:
        """A sentence with the cast that reads the texts as numbers or dates; "" for ordinary texts."""
        if self.type is None:
            return ""
        cast = "CAST" if self.all_readable else "TRY_CAST"
        return f"{self.name} reads as {_WORDS[self.type]}: {cast}({identifier(self.name)} AS {self.type})"


@dataclass(frozen=True)
class LeftOut:
    """A column that is left out of the features automatically, and why."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"left out: {self.name}, {self.reason}"


def aggregates(columns: Sequence[str]) -> list[str]:
    """SQL for two aggregates of each column: the number of rows that are not NULL, and an estimate of the number of
    distinct texts.

    Args:
        columns: the columns' names in SQL.
    """
    return [
        aggregate
        for column in columns
        for aggregate in (f"count({column})", f"approx_count_distinct({column}, {_DEVIATION})")
    ]


def look(frame: Any, names: Sequence[str], found: Sequence[int]) -> list[TextColumn]:
    """The text columns with their statistics. Those with many distinct texts are read in a second pass.

    Args:
        frame: a Spark DataFrame of the query.
    """
    # The first pass tells apart categories, which need no closer look, and texts of many values.
    counted = [
        TextColumn(name, rows, distinct or 0)
        for name, rows, distinct in zip(names, found[::2], found[1::2], strict=True)
    ]
    of_many = [column for column in counted if column.distinct > min(_MOST_CATEGORIES, column.rows // 2)]
    if not of_many:
        return counted
    # Columns get generated names: Spark substitutes `${…}` in SQL texts, and a user's name may contain that.
    columns = [frame[quote_identifier(column.name)] for column in of_many]
    named = frame.select(
        *[column.alias(f"c{index}") for index, column in enumerate(columns)],
        # Cast to a plain string, because patterns do not support collations.
        *[column.cast("string").alias(f"t{index}") for index, column in enumerate(columns)],
    )
    read = named.selectExpr(*[one for index, column in enumerate(of_many) for one in _closer(column, index)]).first()
    parts = [read[start : start + _CLOSER] for start in range(0, len(read), _CLOSER)]
    closer = {
        column.name: _text_column(column.name, column.rows, *part) for column, part in zip(of_many, parts, strict=True)
    }
    return [closer.get(column.name, column) for column in counted]


_CLOSER = 4


def _closer(column: TextColumn, index: int) -> tuple[str, ...]:
    """The aggregates of the second pass, `_CLOSER` for each column: distinct texts, and how many texts are numbers,
    dates and timestamps."""
    counted = column.distinct >= _SHARE_TO_COUNT * column.rows
    return (
        f"count(DISTINCT c{index})" if counted else f"{column.distinct}L",
        f"count_if(t{index} RLIKE '{_NUMBER}')",
        f"count_if(t{index} RLIKE '{_DATE}' AND try_cast(t{index} AS DATE) IS NOT NULL)",
        f"count_if(t{index} RLIKE '{_TIMESTAMP}' AND try_cast(t{index} AS TIMESTAMP) IS NOT NULL)",
    )


def _text_column(name: str, rows: int, distinct: int, numbers: int, dates: int, timestamps: int) -> TextColumn:
    """The statistics of a text column, with the type that at least `_READABLE` of its texts can be cast to."""
    # A date counts as a timestamp too, so mixed columns are timestamps.
    for kind, count in (("DOUBLE", numbers), ("TIMESTAMP" if timestamps else "DATE", dates + timestamps)):
        if count >= _READABLE * rows:
            return TextColumn(name, rows, distinct, kind, count == rows)
    return TextColumn(name, rows, distinct)


def without_keys(
    request: Request, features: Sequence[Feature], text_columns: Sequence[TextColumn], named: Collection[str]
) -> tuple[tuple[Feature, ...], tuple[LeftOut, ...]]:
    """The features without keys, and the columns that are left out.

    A retrained model keeps the features of the version before; only new columns are examined.

    Args:
        text_columns: the statistics of the text columns.
        named: features that the statement names; these are never left out silently.

    Raises:
        SqlmlError: SQLML_FEATURE_UNUSABLE for a named feature that is a key, and if no feature is left.
    """
    before, requested = request.before, {name.lower() for name in named}
    kept, kept_out = (set(before.features), set(before.left_out)) if before else (set[str](), set[str]())
    # A retrained model keeps features that are keys by now, and keeps out those that its version before left out.
    keys = {column.name: column for column in text_columns if column.is_key and column.name not in kept}
    wrong = [keys[feature.name] for feature in features if feature.name in keys and feature.name.lower() in requested]
    if wrong:
        raise _refused(request, features, wrong)
    by_name = {column.name: column for column in text_columns}
    left_out = tuple(
        LeftOut(feature.name, _because(by_name[feature.name]))
        for feature in features
        if feature.name in keys or (feature.name in kept_out and feature.kind == TEXT)
    )
    names = {column.name for column in left_out}
    left = tuple(feature for feature in features if feature.name not in names)
    if features and not left:
        found = [by_name[column.name] for column in left_out]
        raise SqlmlError(
            "SQLML_FEATURE_UNUSABLE",
            f"No feature is left, because nearly every row has another value: {_listed(found)}.",
            hint=_readings(found) or "Select other columns.",
            offset=request.query_offset,
        )
    return left, left_out


def warnings(text_columns: Sequence[TextColumn], left_out: Sequence[LeftOut], features: Sequence[Feature]) -> list[str]:
    """Warnings for the user: each column left out, each key that is kept because the version before has it, and each
    text feature that holds numbers or dates."""
    gone, taken = {column.name for column in left_out}, {feature.name for feature in features}
    kept = [
        f"{column.name} has {column.reason}, so almost nothing can be learned from it"
        for column in text_columns
        if column.is_key and column.name in taken
    ]
    readings = [column.reading for column in text_columns if column.reading and column.name not in gone]
    return [*map(str, left_out), *kept, *readings]


def _because(column: TextColumn) -> str:
    """The reason why a column is left out."""
    if not column.is_key:
        return "as in the version before"
    return f"{column.reason} ({column.reading})" if column.reading else column.reason


def _refused(request: Request, features: Sequence[Feature], wrong: Sequence[TextColumn]) -> SqlmlError:
    """The error for features that the statement names although they are keys."""
    names = {column.name for column in wrong}
    lowered = {name.lower() for name in names}
    others = [feature.name for feature in features if feature.name not in names]
    if others and request.features is not None:
        hint = f"Leave {_them(wrong)} out: FEATURES ({', '.join(map(identifier, others))})."
    else:
        hint = f"Leave {_them(wrong)} out: FEATURES * EXCEPT ({', '.join(identifier(name) for name in sorted(names))})."
    reading = _readings(wrong)
    return SqlmlError(
        "SQLML_FEATURE_UNUSABLE",
        f"Nothing can be learned from {_them(wrong)}, because nearly every row has another value: {_listed(wrong)}.",
        hint=f"{reading} {hint}" if reading else hint,
        offset=next((column.offset for column in request.features or () if column.name.lower() in lowered), None)
        or request.query_offset,
    )


def _listed(columns: Sequence[TextColumn]) -> str:
    return "; ".join(f"{column.name} has {column.reason}" for column in columns)


def _them(columns: Sequence[TextColumn]) -> str:
    return "it" if len(columns) == 1 else "them"


def _readings(columns: Sequence[TextColumn]) -> str:
    """A hint with the casts of columns that hold numbers or dates; "" if there are none."""
    found = "; ".join(column.reading for column in columns if column.reading)
    return f"In the query, {found}." if found else ""
