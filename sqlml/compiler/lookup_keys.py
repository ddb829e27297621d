"""Subjects of lookup tables: a text, a boolean, a condition, an index or an arg max that alone determines a value.

A value with a subject (`values.Lookup`) is an array with one entry per key and a last one for everything else. The
indices are those of keys; the index after the last key stands for anything that is no key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from sqlglot import exp

from sqlml.scoring.feature_values import NULL_TEXT


def any_of(conditions: Sequence[exp.Expression]) -> exp.Expression:
    """Returns the disjunction of one or more conditions."""
    return reduce(lambda left, right: exp.Or(this=left, expression=right), conditions)


def not_null(tree: exp.Expression) -> exp.Expression:
    return exp.Not(this=exp.Is(this=tree, expression=exp.Null()))


def is_null(tree: exp.Expression) -> exp.Expression:
    return exp.Is(this=tree, expression=exp.Null())


@dataclass(frozen=True)
class Subject:
    """The variable of a lookup table. `number` is its definition; subjects are equal where that and the keys are."""

    number: int
    keys: tuple[Any, ...]

    def condition(self, indices: Sequence[int], sql: Tools) -> exp.Expression:
        """Returns a condition that is true where the key's index is one of `indices`; false or NULL elsewhere.

        Args:
            indices: some of them, but not all.
        """
        raise NotImplementedError

    def case(self, values: Sequence[Any], literal: Callable[[Any], exp.Expression], sql: Tools) -> exp.Expression:
        """Returns the value of each key as CASE, with equal values in one WHEN.

        Args:
            values: one for each key and one for everything else; not all equal.
        """
        *named, default = values
        groups: dict[Any, list[int]] = {}
        for index, value in enumerate(named):
            if not _same(value, default):
                groups.setdefault("NaN" if value != value else value, []).append(index)
        whens = [
            exp.If(this=self.condition(indices, sql), true=literal(values[indices[0]])) for indices in groups.values()
        ]
        return exp.Case(ifs=whens, default=literal(default))


@dataclass(frozen=True)
class Tools:
    """Functions with which a subject writes references and texts in the engine's SQL."""

    value: Callable[[int], exp.Expression]
    text: Callable[[str], exp.Expression]
    booleans: bool


@dataclass(frozen=True)
class Text(Subject):
    """A text; NULL is the key NULL_TEXT if there is one."""

    def condition(self, indices: Sequence[int], sql: Tools) -> exp.Expression:
        """`=` or IN, negated where the index of everything else is wanted; NULL is tested apart."""
        others = len(self.keys) in indices
        shown = [self.keys[index] for index in range(len(self.keys)) if (index in indices) != others]
        texts = [sql.text(key) for key in shown if key != NULL_TEXT]
        parts: list[exp.Expression] = []
        if len(texts) == 1:
            kind = exp.NEQ if others else exp.EQ
            parts.append(kind(this=sql.value(self.number), expression=texts[0]))
        elif texts:
            member = exp.In(this=sql.value(self.number), expressions=texts)
            parts.append(exp.Not(this=member) if others else member)
        null_wanted = (NULL_TEXT in shown) != others
        if null_wanted:
            parts.append(is_null(sql.value(self.number)))
        elif others and not texts:
            parts.append(not_null(sql.value(self.number)))
        return any_of(parts)


@dataclass(frozen=True)
class Flag(Subject):
    """A boolean column with the keys true and false; NULL is neither."""

    def condition(self, indices: Sequence[int], sql: Tools) -> exp.Expression:
        if set(indices) == {0, 1}:
            return not_null(sql.value(self.number))
        return any_of([self._one(index, sql) for index in indices])

    def _one(self, index: int, sql: Tools) -> exp.Expression:
        column, zero = sql.value(self.number), exp.Literal(this="0", is_string=False)
        if index == 2:
            return is_null(column)
        if sql.booleans:
            return exp.Not(this=column) if index else column
        return exp.EQ(this=column, expression=zero) if index else exp.NEQ(this=column, expression=zero)


@dataclass(frozen=True)
class Condition(Subject):
    """A condition with true as its only key; false and NULL are everything else."""

    def condition(self, indices: Sequence[int], sql: Tools) -> exp.Expression:
        holds = sql.value(self.number)
        return holds if 0 in indices else opposite(holds)


@dataclass(frozen=True)
class Place(Subject):
    """An index 0, 1, …; the last one is everything else."""

    def condition(self, indices: Sequence[int], sql: Tools) -> exp.Expression:
        others = len(self.keys) in indices
        shown = [key for key in self.keys if (key in indices) != others]
        digits = [exp.Literal(this=str(key), is_string=False) for key in shown]
        found: exp.Expression = exp.In(this=sql.value(self.number), expressions=digits)
        if len(digits) == 1:
            found = exp.EQ(this=sql.value(self.number), expression=digits[0])
        return opposite(found) if others else found


@dataclass(frozen=True)
class FirstLargest(Subject):
    """The index of the first maximum of some numbers; the last one is everything else.

    `number` is the definition of the first, `numbers` are all of them; `largest` is that of their maximum, if there is
    one.
    """

    numbers: tuple[int, ...] = ()
    largest: int | None = None

    def condition(self, indices: Sequence[int], sql: Tools) -> exp.Expression:
        zero, one = (exp.Literal(this=digit, is_string=False) for digit in "01")
        values = [index in indices for index in range(len(self.numbers))]
        return exp.EQ(this=self.case(values, lambda value: (one if value else zero).copy(), sql), expression=one)

    def case(self, values: Sequence[Any], literal: Callable[[Any], exp.Expression], sql: Tools) -> exp.Expression:
        # In order: a later number is tested only where no earlier one is a maximum.
        whens = [
            exp.If(this=self._is_largest(index, sql), true=literal(value)) for index, value in enumerate(values[:-1])
        ]
        return exp.Case(ifs=whens, default=literal(values[-1]))

    def _is_largest(self, index: int, sql: Tools) -> exp.Expression:
        if self.largest is not None:
            return exp.EQ(this=sql.value(self.numbers[index]), expression=sql.value(self.largest))
        later: list[exp.Expression] = [
            exp.GTE(this=sql.value(self.numbers[index]), expression=sql.value(number))
            for number in self.numbers[index + 1 :]
        ]
        return reduce(lambda left, right: exp.And(this=left, expression=right), later)


def opposite(condition: exp.Expression) -> exp.Expression:
    """Returns a condition that is true where another one is false or NULL."""
    zero, one = (exp.Literal(this=digit, is_string=False) for digit in "01")
    return exp.EQ(this=exp.Case(ifs=[exp.If(this=condition, true=one)], default=zero), expression=zero.copy())


def _same(left: Any, right: Any) -> bool:
    return bool(left == right or (left != left and right != right))
