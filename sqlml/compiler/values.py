"""Symbolic values: tensors of one row, whose elements are constants, SQL terms or lookup tables.

The graph is executed once, on a symbolic row. A tensor [rows, n] of the graph is an array [1, n] here, so that shapes,
axes and broadcasting are those of ONNX. An element is a Python value if it is constant; a `Term`, which is SQL; a
`Lookup`, which depends on one text, flag, condition or index alone (`sqlml.compiler.lookup_keys`); or `Rounded`, a
float32 that is not rounded yet.

A missing value is NULL or NaN in SQL, and NaN in the graph. An input that is NaN is NULL. A NaN that arises in between
is recorded in the facts of its term, and rules that can tell NaN from a number convert it: see `Scope.numbered`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlml.compiler import facts
from sqlml.compiler.facts import Facts
from sqlml.compiler.lookup_keys import Subject

DOUBLE, FLOAT, INT64, BOOL, STRING = "double", "float", "int64", "bool", "string"
# A 64-bit integer in SQL whose value always fits 32 bits; only conversions produce it.
INT32 = "int32"
# Several doubles in one object, for sqlml's own functions only; no tensor has elements of this type.
NUMBERS = "numbers"
DTYPES: dict[str, Any] = {
    BOOL: np.bool_,
    DOUBLE: np.float64,
    FLOAT: np.float32,
    INT32: np.int32,
    INT64: np.int64,
    STRING: np.object_,
}


@dataclass(frozen=True)
class Term:
    """A reference to one definition of the scope.

    Attributes:
        number: the index of the definition.
        nullable: whether it may be NULL.
        facts: what holds for it wherever it is not NULL.
        present: for a condition, the definition that it tests for being a finite number.
        size: the definition whose absolute value this is.
    """

    number: int
    nullable: bool = False
    facts: Facts = facts.ANYTHING
    present: int | None = None
    size: int | None = None

    @property
    def finite(self) -> bool:
        """True for a number that is finite wherever it is not NULL."""
        return self.facts.finite


@dataclass(frozen=True, eq=False)
class Lookup:
    """A lookup table: a value for each key of its subject, and a last one for everything else."""

    subject: Subject
    values: NDArray[Any]


@dataclass(frozen=True)
class Rounded:
    """A double cast to float32 whose rounding is postponed: `term` is the unrounded double.

    A tree adjusts its thresholds instead of rounding it (`sqlml.compiler.operators.trees_as_case`); for other consumers
    `Scope.rounded` rounds it.
    """

    term: Term


@dataclass(frozen=True)
class Value:
    """A tensor of one row: an array of the elements above, and their type."""

    elements: NDArray[Any]
    type: str

    @property
    def constant(self) -> NDArray[Any]:
        """The tensor as a numpy array of its own type; only where no element depends on the row."""
        return np.array(self.elements, dtype=DTYPES[self.type])

    @property
    def known(self) -> bool:
        """True if no element depends on the row."""
        return not any(isinstance(element, (Term, Lookup, Rounded)) for element in self.elements.flat)


def of(elements: Any, kind: str, shape: tuple[int, ...] | None = None) -> Value:
    """Returns a tensor of some elements, by default as one row."""
    listed = list(elements)
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return Value(array.reshape(shape or (1, len(listed))), kind)


def plain(array: NDArray[Any]) -> Value:
    """Returns a constant of the graph. A type without a name here keeps numpy's, which no rule accepts."""
    kinds = {"f8": DOUBLE, "f4": FLOAT, "i8": INT64, "i4": INT32, "b1": BOOL}
    kind = STRING if array.dtype.kind in "OSU" else kinds.get(array.dtype.str[1:], array.dtype.name)
    elements = np.empty(array.shape, dtype=object)
    elements[...] = array.astype(object)
    return Value(elements, kind)


def is_constant(element: Any) -> bool:
    """Returns whether an element is the same for every row."""
    return not isinstance(element, (Term, Lookup, Rounded))


def facts_of(element: Any, kind: str) -> Facts:
    """Returns the facts of an element."""
    if isinstance(element, Term):
        return element.facts
    if isinstance(element, Rounded):
        return facts.converted(FLOAT, element.term.facts)
    return facts.of_values(np.asarray(element.values if isinstance(element, Lookup) else element), kind)


def nullable(element: Any) -> bool:
    """Returns whether an element may be NULL."""
    if isinstance(element, Term):
        return element.nullable
    if isinstance(element, Rounded):
        return element.term.nullable
    return bool(np.any(element.values != element.values)) if isinstance(element, Lookup) else element != element


def folded(fold: Callable[..., Any], operands: Sequence[Any], kinds: Sequence[str]) -> Any:
    """Constant folding: applies a numpy function to constants and to tables of one subject.

    Returns a Python value or a table.
    """
    subject = next((one.subject for one in operands if isinstance(one, Lookup)), None)
    arrays = [
        one.values if isinstance(one, Lookup) else np.asarray(one, dtype=DTYPES[kind])
        for one, kind in zip(operands, kinds, strict=True)
    ]
    with np.errstate(all="ignore"):
        found = np.asarray(fold(*arrays))
    if subject is None:
        return found[()].item() if found.dtype != object else found[()]
    return table(subject, np.broadcast_to(found, len(subject.keys) + 1))


def table(subject: Subject, values: NDArray[Any]) -> Any:
    """Returns a lookup table, or its one value if all are equal."""
    first = values[0]
    if np.all((values == first) | ((values != values) & (first != first))):
        return first.item() if isinstance(first, np.generic) else first
    return Lookup(subject, values)
