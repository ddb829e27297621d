"""Interval arithmetic over the graph: an interval that holds each number, and whether it can be infinite or NaN.

Rules ask it where NaN can arise, so that only consumers that can tell NaN from a number pay for the test. In a linear
model over finite columns, for example, only an overflowing sum can be NaN.

"Infinite" and "NaN" have three levels each, because a sum of numbers near the largest double overflows, and testing for
that everywhere would cost what no ordinary row needs:

    NEVER        in no row
    BY_OVERFLOW  only where finite numbers overflow, beyond 1.8e308 (3.4e38 in float32)
    POSSIBLE     otherwise too: a logarithm of 0, a root of −1, 0 / 0, an infinite column
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEVER, BY_OVERFLOW, POSSIBLE = range(3)
_LARGEST = {"double": float(np.finfo(np.float64).max), "float": float(np.finfo(np.float32).max)}
_WIDTHS = {"int64": 63, "int32": 31}


@dataclass(frozen=True)
class Facts:
    """Bounds of a number that is not NULL: unless NaN, it is between `low` and `high`, both included.

    Attributes:
        infinite, nan: NEVER, BY_OVERFLOW or POSSIBLE.
        whole: whether it is an integer.
    """

    low: float = -math.inf
    high: float = math.inf
    infinite: int = POSSIBLE
    nan: int = POSSIBLE
    whole: bool = False

    @property
    def finite(self) -> bool:
        """True for a number that is neither infinite nor NaN."""
        return self.infinite == NEVER and self.nan == NEVER

    @property
    def may_be_zero(self) -> bool:
        """True if 0 is in the interval."""
        return self.low <= 0.0 <= self.high


Rule = Callable[..., Facts]
ANYTHING = Facts()


def unknown(kind: str) -> Facts:
    """Returns what follows from the type alone."""
    if kind in _LARGEST:
        return Facts()
    width = _WIDTHS.get(kind)
    low, high = (0.0, 1.0) if width is None else (-(2.0**width), 2.0**width)
    return Facts(low, high, NEVER, NEVER, whole=True)


def of_values(values: NDArray[Any], kind: str) -> Facts:
    """Returns the facts of one of several constants. A NaN among them is NULL in SQL, and so does not count."""
    if kind not in _LARGEST and kind not in _WIDTHS:
        return unknown(kind)
    numbers = np.asarray(values, dtype=np.float64).ravel()
    numbers = numbers[~np.isnan(numbers)]
    if not len(numbers):
        return Facts(0.0, 0.0, NEVER, NEVER, whole=True)
    infinite = POSSIBLE if np.isinf(numbers).any() else NEVER
    whole = bool(np.all(numbers == np.floor(numbers))) and infinite == NEVER
    return Facts(float(numbers.min()), float(numbers.max()), infinite, NEVER, whole)


def made(kind: str, low: float, high: float, infinite: int, nan: int) -> Facts:
    """Returns the facts of a computed number from the interval of its exact value: it may be rounded, overflow or
    wrap."""
    if kind in _WIDTHS:
        limit = 2.0 ** _WIDTHS[kind]
        return Facts(low, high, NEVER, NEVER, whole=True) if -limit <= low and high < limit else unknown(kind)
    if kind not in _LARGEST:
        return unknown(kind)
    low, high = -math.inf if math.isnan(low) else low, math.inf if math.isnan(high) else high
    if kind == "float":
        with np.errstate(over="ignore"):
            low = float(np.nextafter(np.float32(low), np.float32(-np.inf))) if low else low
            high = float(np.nextafter(np.float32(high), np.float32(np.inf))) if high else high
    largest = _LARGEST[kind]
    if low < -largest or high > largest:
        infinite = max(infinite, BY_OVERFLOW)
    return Facts(low, high, infinite, nan)


def converted(kind: str, x: Facts) -> Facts:
    """Returns the facts after a conversion to another type."""
    return replace(made(kind, x.low, x.high, x.infinite, x.nan), whole=x.whole)


# -- transfer functions of operators: result type and operands' facts → facts of the result ----------------------------


def add(kind: str, x: Facts, y: Facts) -> Facts:
    """∞ − ∞ is NaN, so NaN is possible where the operands may be infinite with opposite signs."""
    opposite = (x.high == math.inf and y.low == -math.inf) or (x.low == -math.inf and y.high == math.inf)
    nan = max(x.nan, y.nan, min(x.infinite, y.infinite) if opposite else NEVER)
    return made(kind, x.low + y.low, x.high + y.high, max(x.infinite, y.infinite), nan)


def subtract(kind: str, x: Facts, y: Facts) -> Facts:
    return add(kind, x, negate(kind, y))


def negate(kind: str, x: Facts) -> Facts:
    return made(kind, -x.high, -x.low, x.infinite, x.nan)


def multiply(kind: str, x: Facts, y: Facts) -> Facts:
    """0 · ∞ is NaN; otherwise the extremes are among the products of the bounds."""
    nan = max(x.nan, y.nan, x.infinite if y.may_be_zero else NEVER, y.infinite if x.may_be_zero else NEVER)
    corners = [_product(a, b) for a in (x.low, x.high) for b in (y.low, y.high)]
    return made(kind, min(corners), max(corners), max(x.infinite, y.infinite), nan)


def square(kind: str, x: Facts) -> Facts:
    size = absolute(kind, x)
    return made(kind, _product(size.low, size.low), _product(size.high, size.high), x.infinite, x.nan)


def divide(kind: str, x: Facts, y: Facts) -> Facts:
    """Unbounded where the divisor may be 0; otherwise the extremes are among the quotients of the bounds."""
    nan = max(x.nan, y.nan, min(x.infinite, y.infinite))
    if y.may_be_zero:
        return Facts(infinite=POSSIBLE, nan=POSSIBLE if x.may_be_zero else nan)
    corners = [_quotient(a, b) for a in (x.low, x.high) for b in (y.low, y.high)]
    return made(kind, min(corners), max(corners), max(x.infinite, y.infinite), nan)


def absolute(kind: str, x: Facts) -> Facts:
    low = 0.0 if x.may_be_zero else min(abs(x.low), abs(x.high))
    return made(kind, low, max(abs(x.low), abs(x.high)), x.infinite, x.nan)


def sign(kind: str, x: Facts) -> Facts:
    return Facts(-1.0, 1.0, NEVER, x.nan)


def square_root(kind: str, x: Facts) -> Facts:
    nan = POSSIBLE if x.low < 0.0 else x.nan
    infinite = x.infinite if x.high == math.inf else NEVER
    return made(kind, math.sqrt(max(x.low, 0.0)), math.sqrt(max(x.high, 0.0)), infinite, nan)


def logarithm(kind: str, x: Facts) -> Facts:
    """The rule's CASE gives NULL for negative numbers and for NaN, so the result is never NaN."""
    low = math.log(x.low) if 0.0 < x.low < math.inf else -math.inf
    high = math.log(x.high) if 0.0 < x.high < math.inf else math.inf
    return Facts(low, high, POSSIBLE if x.low <= 0.0 else x.infinite, NEVER)


def exponential(kind: str, x: Facts) -> Facts:
    infinite = x.infinite if x.high == math.inf else NEVER
    return made(kind, _power(x.low), _power(x.high), infinite, x.nan)


def sigmoid(kind: str, x: Facts) -> Facts:
    return Facts(0.0, 1.0, NEVER, x.nan)


def hyperbolic_tangent(kind: str, x: Facts) -> Facts:
    return Facts(-1.0, 1.0, NEVER, x.nan)


def floor(kind: str, x: Facts) -> Facts:
    return replace(made(kind, x.low - 1.0, x.high, x.infinite, x.nan), whole=True)


def power(kind: str, x: Facts, y: Facts) -> Facts:
    """NaN arises only from a fractional power of a negative number."""
    nan = max(x.nan, y.nan, POSSIBLE if x.low < 0.0 else NEVER)
    small = x.low <= 0.0 and y.low < 0.0
    infinite = POSSIBLE if small else max(x.infinite, y.infinite, BY_OVERFLOW)
    return Facts(0.0 if x.low >= 0.0 else -math.inf, math.inf, infinite, nan)


def power_of_missing(kind: str, x: Facts, y: Facts) -> Facts:
    """The power of numbers that may be missing, which then is NaN."""
    return replace(power(kind, x, y), nan=POSSIBLE)


def rectify(kind: str, x: Facts) -> Facts:
    return replace(_between(x, 0.0, math.inf), infinite=x.infinite if x.high == math.inf else NEVER)


def clip(kind: str, x: Facts, low: Facts, high: Facts) -> Facts:
    found = _between(x, low.low, high.high)
    bounded = low.low > -math.inf and high.high < math.inf
    # An infinite limit never replaces an integer.
    whole = x.whole and all(limit.whole or math.isinf(limit.low) for limit in (low, high))
    return replace(found, infinite=NEVER if bounded else x.infinite, whole=whole)


def larger(kind: str, *operands: Facts) -> Facts:
    found = either(kind, *operands)
    return replace(found, low=max(one.low for one in operands), high=max(one.high for one in operands))


def smaller(kind: str, *operands: Facts) -> Facts:
    found = either(kind, *operands)
    return replace(found, low=min(one.low for one in operands), high=min(one.high for one in operands))


def either(kind: str, *operands: Facts) -> Facts:
    """Returns the union: the facts of a number that is one of several."""
    return Facts(
        min(one.low for one in operands),
        max(one.high for one in operands),
        max(one.infinite for one in operands),
        max(one.nan for one in operands),
        all(one.whole for one in operands),
    )


def shared(elements: Sequence[Facts]) -> Facts:
    """Returns the facts of a softmax, or of a number divided by the norm of its row.

    An infinite element makes the whole row NaN in the former, and itself in the latter.
    """
    return Facts(-1.0, 1.0, NEVER, max(max(one.nan, one.infinite) for one in elements))


def imputed(kind: str, x: Facts, instead: Facts) -> Facts:
    """Returns the facts of x where it is finite, and of a replacement elsewhere."""
    largest = _LARGEST[kind]
    return either(kind, Facts(max(x.low, -largest), min(x.high, largest), NEVER, NEVER, x.whole), instead)


def _between(x: Facts, low: float, high: float) -> Facts:
    """The interval clamped to two limits."""
    return replace(x, low=min(max(x.low, low), high), high=max(min(x.high, high), low))


def _product(x: float, y: float) -> float:
    return 0.0 if x == 0.0 or y == 0.0 else x * y


def _quotient(x: float, y: float) -> float:
    return 0.0 if math.isinf(y) else x / y


def _power(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf
