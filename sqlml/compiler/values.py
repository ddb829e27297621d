"""What flows between operators: tensors of one row, whose elements are numbers, texts or SQL.

The graph is run once, on a row that nobody knows yet. A tensor [rows, n] of the graph is an array [1, n] here, so that
shapes, axes and broadcasting mean what they mean in ONNX. An element is a Python value where it is the same for every
row; a `Term`, which is SQL; a `Lookup`, which depends on one text or condition alone; or `Rounded`.

Missing is NULL or NaN: both are NaN in the graph. An input that is NaN is NULL; NaN comes into being on the way, where
the facts of a term say so, and the rules that can tell NaN from a number ask for it: see `Scope.numbered`.
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
# A 64-bit integer in SQL, whose value is always one of 32 bits; only conversions make one.
INT32 = "int32"
# Several doubles at once, which only functions of sqlml's own give and take; no element is one.
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
    """One definition of the scope.

    Attributes:
        number: which one.
        nullable: whether it may be NULL.
        facts: what is known of it wherever it is not NULL.
        present: the number of the definition whose being a finite number is what this condition says.
        size: the number of the definition whose absolute value this is.
    """

    number: int
    nullable: bool = False
    facts: Facts = facts.ANYTHING
    present: int | None = None
    size: int | None = None

    @property
    def finite(self) -> bool:
        """Whether it is a finite number wherever it is not NULL."""
        return self.facts.finite


@dataclass(frozen=True, eq=False)
class Lookup:
    """A value for each key of a subject, and one more for what is none of them: an array of numpy's own type."""

    subject: Subject
    values: NDArray[Any]


@dataclass(frozen=True)
class Rounded:
    """A double rounded to float32. A tree compares without rounding: see `sqlml.compiler.operators.trees_as_case`."""

    term: Term


@dataclass(frozen=True)
class Value:
    """A tensor of one row: an array of elements, of one of the types above."""

    elements: NDArray[Any]
    type: str

    @property
    def constant(self) -> NDArray[Any]:
        """The same as an array of numpy's own type; only where no element depends on the row."""
        return np.array(self.elements, dtype=DTYPES[self.type])

    @property
    def known(self) -> bool:
        return not any(isinstance(element, (Term, Lookup, Rounded)) for element in self.elements.flat)


def of(elements: Any, kind: str, shape: tuple[int, ...] | None = None) -> Value:
    """A value of a list of elements."""
    listed = list(elements)
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return Value(array.reshape(shape or (1, len(listed))), kind)


def plain(array: NDArray[Any]) -> Value:
    """A constant of the graph. One of another type has that type's own name, which no rule takes."""
    kinds = {"f8": DOUBLE, "f4": FLOAT, "i8": INT64, "i4": INT32, "b1": BOOL}
    kind = STRING if array.dtype.kind in "OSU" else kinds.get(array.dtype.str[1:], array.dtype.name)
    elements = np.empty(array.shape, dtype=object)
    elements[...] = array.astype(object)
    return Value(elements, kind)


def is_constant(element: Any) -> bool:
    return not isinstance(element, (Term, Lookup, Rounded))


def facts_of(element: Any, kind: str) -> Facts:
    """What is known of an element of a type."""
    if isinstance(element, Term):
        return element.facts
    if isinstance(element, Rounded):
        return facts.converted(FLOAT, element.term.facts)
    return facts.of_values(np.asarray(element.values if isinstance(element, Lookup) else element), kind)


def nullable(element: Any) -> bool:
    """Whether an element may be NULL."""
    if isinstance(element, Term):
        return element.nullable
    if isinstance(element, Rounded):
        return element.term.nullable
    return bool(np.any(element.values != element.values)) if isinstance(element, Lookup) else element != element


def folded(fold: Callable[..., Any], operands: Sequence[Any], kinds: Sequence[str]) -> Any:
    """What numpy makes of constants and of tables of one subject: a Python value or a table."""
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
    """A table, or its one value where all are the same."""
    first = values[0]
    if np.all((values == first) | ((values != values) & (first != first))):
        return first.item() if isinstance(first, np.generic) else first
    return Lookup(subject, values)
