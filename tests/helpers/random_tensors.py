"""Tensors of random rows, ordinary and special, and a graph that grows from them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from helpers.row_graphs import BOOL, DOUBLE, FLOAT, INT32, INT64, STRING, RowGraph

ROWS = 24
_SPECIAL = (None, np.nan, np.inf, -np.inf, -0.0, 0.0, 1e308, -1e308, 3.4028235e38, -3.5e38, 1e-320, 1e-45, 9.3e18, 2.5)
_WORDS = ("a", "b", "", "grün", "unseen")
_OPSETS = (13, 14, 15, 18, 19, 21)
_LAST_DIGITS = {FLOAT: 1e-6, DOUBLE: 1e-14}

# How a graph is disturbed. UP and DOWN: last digits of products up, those of sums up or down. ROUNDED: last digits of
# products down, and more is rounded: each product and each part of a sum, in the order of a row, and to digits of 1
# what is between -1 and 1.
UP, DOWN, ROUNDED = 1, -1, 2


class Tensor(NamedTuple):
    """[rows, width]."""

    name: str
    element: int
    width: int


class Maker:
    def __init__(self, seed: int, *, disturbed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.rounded = disturbed == ROUNDED
        self.disturbed = 0 if self.rounded else disturbed
        self.opset = int(self.random.choice(_OPSETS))
        self.graph = RowGraph(self.opset, 3, required=self.random.random() < 0.3)
        self.real = FLOAT if self.random.random() < 0.5 else DOUBLE
        self.values: list[Tensor] = []
        self.kinds: list[int] = []

    # -- inputs --------------------------------------------------------------------------------------------------------

    def columns(self) -> None:
        width = int(self.random.integers(1, 5))
        self.values.append(Tensor(self.graph.row(self.real, [width]), self.real, width))
        self.kinds = [DOUBLE] * width
        if self.random.random() < 0.25:
            self.values.append(Tensor(self.graph.row(INT64, [1]), INT64, 1))
            self.kinds.append(INT64)
        if self.random.random() < 0.25:
            self.values.append(Tensor(self.graph.row(STRING, [1]), STRING, 1))
            self.kinds.append(STRING)

    def row(self) -> list[Any]:
        """One number near the largest one at most: more of them make sums that depend on their order."""
        row: list[Any] = []
        large = False
        for kind in self.kinds:
            if kind == STRING:
                row.append(None if self.random.random() < 0.1 else str(self.random.choice(_WORDS)))
            elif kind == INT64:
                ends = (2**63 - 1, -(2**63), 2**53 + 1, 2**31, -1)
                special = self.random.random() < 0.3
                row.append(int(self.random.choice(ends) if special else self.random.integers(-5, 300)))
            else:
                value = self.random.choice(np.array(_SPECIAL, dtype=object)) if self.random.random() < 0.3 else None
                if value is None and self.random.random() > 0.05:
                    value = float(self.random.integers(-8, 9)) / 2
                if value is not None and abs(value) > 1e18:
                    value, large = (1.5, large) if large else (value, True)
                row.append(None if value is None else float(value))
        return row

    # -- choosing ------------------------------------------------------------------------------------------------------

    def pick(self, *elements: int) -> Tensor | None:
        fitting = [value for value in self.values if value.element in elements]
        return fitting[int(self.random.integers(len(fitting)))] if fitting else None

    def numbers(self, count: int, *, zero: bool = True) -> Any:
        """Halves of small whole numbers, of which sums and products are exact."""
        found = self.random.integers(-6, 7, count) / 2.0
        return found if zero else np.where(found == 0.0, 0.5, found)

    def constant(self, values: Any, element: int) -> str:
        dtypes = {DOUBLE: np.float64, FLOAT: np.float32, INT64: np.int64, INT32: np.int32, BOOL: np.bool_}
        with np.errstate(all="ignore"):
            return self.graph.constant(np.asarray(values).astype(dtypes[element]))

    def off(self, name: str, element: int) -> str:
        if not (self.disturbed or self.rounded) or element not in _LAST_DIGITS:
            return name
        share = 1.0 + (-1 if self.rounded else 1) * _LAST_DIGITS[element]
        return str(self.graph.node("Mul", [name, self.constant(share, element)]))

    def off_by_digits_of_one(self, name: str, element: int) -> str:
        """ONNX Runtime approximates functions between -1 and 1 by polynomials, exact to digits of 1."""
        if self.rounded:  # Away with the digits that 1 has not: 1e-45 may be 0.
            one = self.constant(1.0, element)
            return str(self.graph.node("Sub", [self.graph.node("Add", [name, one]), one]))
        if not self.disturbed:
            return name
        return str(self.graph.node("Add", [name, self.constant(self.disturbed * _LAST_DIGITS[element], element)]))

    def order(self, width: int) -> Any:
        return np.arange(width)[::-1].copy() if self.disturbed else np.arange(width)

    def turned(self, x: Tensor) -> str:
        if not self.disturbed or x.width == 1:
            return x.name
        return str(self.graph.node("Gather", [x.name, self.graph.constant(self.order(x.width))], axis=1))

    def product(self, x: Tensor, weights: Any, *, alpha: float = 1.0) -> str:
        """α x W, with W [x.width, n] constant, by products that are rounded one by one: ONNX Runtime's own may be fused
        with their sum, so that none of them overflows."""
        products = [
            self.graph.node("Mul", [column, self.constant([row], x.element)])
            for column, row in zip(self._columns(x), weights, strict=True)
        ]
        return str(self.graph.node("Mul", [self._added(products), self.constant([[alpha]], x.element)]))

    def sum(self, x: Tensor) -> str:
        """The sum of a row from its first number to its last."""
        return self._added(self._columns(x))

    def _columns(self, x: Tensor) -> list[str]:
        return [self.graph.node("Gather", [x.name, self.graph.constant([at])], axis=1) for at in range(x.width)]

    def _added(self, terms: list[str]) -> str:
        total = terms[0]
        for term in terms[1:]:
            total = self.graph.node("Add", [total, term])
        return total
