"""Feature preparation, as data: imputation, scaling and encoding as learned by scikit-learn or MLlib, and written to
ONNX.

A row x of the prepared matrix is: every `NumberColumn` in order; every `CategoryColumn` in order, as a one-hot block
or, for trees that split by sets, as one number; then the codes; then the flags.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlml.scoring.feature_values import NULL_TEXT, SECONDS_A_DAY
from sqlml.signature import DATE, TIMESTAMP

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A text column keeps this many categories, the most frequent ones.
MAX_CATEGORIES = 100

# Encodings of a text, and strategies to impute a number; a number to impute is possible too.
ENCODINGS = ONE_HOT, ORDINAL, TARGET = ("onehot", "ordinal", "target")
IMPUTATIONS = ("mean", "median", "most_frequent")

_DATE_PARTS = ("epoch_day", "year", "month", "day", "dayofweek")
# The parts of a date and a timestamp, in UTC; dayofweek as in Spark, 1 = Sunday to 7 = Saturday.
PARTS: dict[str, tuple[str, ...]] = {DATE: _DATE_PARTS, TIMESTAMP: (*_DATE_PARTS, "hour", "second_of_day")}


@dataclass(frozen=True)
class NumberColumn:
    """A numeric column of x: (value - mean) / scale. A missing or infinite value is replaced by `impute`, or is NaN if
    that is None, for models that handle it.

    `part` is one of PARTS, or "" for the value itself.
    """

    feature: str
    part: str
    impute: float | None
    mean: float
    scale: float


@dataclass(frozen=True)
class CategoryColumn:
    """A categorical text. In a one-hot block each category has a column, which is 1 where the text is it and 0
    elsewhere.

    With `other` one more column is 1 where the text is none of them; without it such a row is 0 in the whole block. As
    one number it is the index of the 1, and -1 where there is none. NULL is the category `NULL_TEXT`, if training saw
    one.
    """

    feature: str
    categories: tuple[str, ...]
    other: bool

    @property
    def width(self) -> int:
        """The number of columns of the one-hot block."""
        return len(self.categories) + self.other


@dataclass(frozen=True)
class CodeColumn:
    """A text encoded as one number of x. `codes` are the categories' numbers, already scaled; `default` is the number
    of any other text; `encoding` is one of ENCODINGS."""

    feature: str
    encoding: str
    categories: tuple[str, ...]
    codes: tuple[float, ...]
    default: float


@dataclass(frozen=True)
class Preparation:
    """The learned preparation of all features; x is numbers, categories, codes and flags, in this order.

    `flags` are features with one more unscaled column: 1 where the value is missing or infinite, 0 elsewhere.
    """

    numbers: tuple[NumberColumn, ...]
    categories: tuple[CategoryColumn, ...]
    codes: tuple[CodeColumn, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """The number of columns of x with one-hot texts."""
        blocks = sum(block.width for block in self.categories)
        return len(self.numbers) + blocks + len(self.codes) + len(self.flags)

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Preparation:
        raw = json.loads(text)
        return cls(
            numbers=tuple(NumberColumn(**column) for column in raw["numbers"]),
            categories=tuple(
                CategoryColumn(column["feature"], tuple(column["categories"]), column["other"])
                for column in raw["categories"]
            ),
            codes=tuple(
                CodeColumn(**{**column, "categories": tuple(column["categories"]), "codes": tuple(column["codes"])})
                for column in raw.get("codes", ())
            ),
            # Models registered by older versions have no flags.
            flags=tuple(raw.get("flags", ())),
        )

    def describe(self, feature: str) -> str:
        """A feature's preparation in words, for DESCRIBE MODEL."""
        for block in self.categories:
            if block.feature == feature:
                return _describe_category(block)
        for column in self.codes:
            if column.feature == feature:
                return _describe_code(column)
        numbers = _describe_numbers([column for column in self.numbers if column.feature == feature])
        return f"{numbers}; a flag column marks missing values" if feature in self.flags else numbers


def _describe_code(column: CodeColumn) -> str:
    kept = "1 category" if len(column.categories) == 1 else f"{len(column.categories)} categories"
    meaning = {ORDINAL: "their ordinals", TARGET: "the target's means"}[column.encoding]
    null = "NULL is a category" if NULL_TEXT in column.categories else "NULL counts as another value"
    return f"{kept} as numbers, {meaning}; {null}; others count as {column.default:.6g}"


def _describe_category(block: CategoryColumn) -> str:
    kept = "1 category" if len(block.categories) == 1 else f"{len(block.categories)} categories"
    null = "NULL is a category" if NULL_TEXT in block.categories else "NULL counts as another value"
    unseen = "other values are one category" if block.other else "other values count as unknown"
    return f"{kept}; {null}; {unseen}"


def _describe_numbers(columns: list[NumberColumn]) -> str:
    if not columns:
        return ""
    null = "NULL is handled by the model"
    scaled = any(column.mean != 0.0 or column.scale != 1.0 for column in columns)
    if columns[0].part:
        parts = ", ".join(column.part for column in columns)
        if columns[0].impute is not None:
            null = "NULL counts as their means"
        return f"parts in UTC: {parts}; {null}{'; scaled' if scaled else ''}"
    (column,) = columns
    if column.impute is not None:
        null = f"NULL counts as {column.impute:.6g}"
    return f"{null}; scaled: (x - {column.mean:.6g}) / {column.scale:.6g}" if scaled else null


# -- dates and times in numpy; sqlml/export/preparation.py does the same steps in the graph ----------------------------


def part(name: str, kind: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A part of dates (days since 1970-01-01) or timestamps (seconds since the epoch); NaN stays NaN."""
    if kind == DATE:
        return _DAY_PARTS[name](values)
    day = _floor(values / SECONDS_A_DAY)
    if name in _DAY_PARTS:
        return _DAY_PARTS[name](day)
    second = values - day * SECONDS_A_DAY
    return second if name == "second_of_day" else _floor(second / 3600.0)


def _floor(values: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    floored: NDArray[np.float64] = np.floor(values)
    return floored


def _civil(day: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Year, month and day of the proleptic Gregorian calendar, by Howard Hinnant's `civil_from_days`
    (https://howardhinnant.github.io/date_algorithms.html).

    It is computed in float64, where whole numbers of this size and floors of their quotients are exact. It counts in
    eras of 400 years that begin on 1 March, so that a leap day is the last day of its year.
    """
    shifted = day + 719_468.0
    era = _floor(shifted / 146_097.0)
    of_era = shifted - era * 146_097.0
    year_of_era = _floor(
        (of_era - _floor(of_era / 1_460.0) + _floor(of_era / 36_524.0) - _floor(of_era / 146_096.0)) / 365.0
    )
    of_year = of_era - (365.0 * year_of_era + _floor(year_of_era / 4.0) - _floor(year_of_era / 100.0))
    from_march = _floor((5.0 * of_year + 2.0) / 153.0)
    of_month = of_year - _floor((153.0 * from_march + 2.0) / 5.0) + 1.0
    next_year = _floor(from_march / 10.0)
    month = from_march + 3.0 - 12.0 * next_year
    return year_of_era + era * 400.0 + next_year, month, of_month


def _day_of_week(day: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 = Sunday to 7 = Saturday; 1970-01-01 was a Thursday."""
    since_sunday = day + 4.0
    return since_sunday - _floor(since_sunday / 7.0) * 7.0 + 1.0


_DAY_PARTS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "epoch_day": lambda day: day,
    "year": lambda day: _civil(day)[0],
    "month": lambda day: _civil(day)[1],
    "day": lambda day: _civil(day)[2],
    "dayofweek": _day_of_week,
}
