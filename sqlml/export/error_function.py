"""The error function erf in float64, built from basic operators: ONNX Runtime implements Erf
(https://onnx.ai/onnx/operators/onnx__Erf.html) in float32 only.

Rational Chebyshev approximations by W. J. Cody, Mathematics of Computation 23 (1969), 631–637: of erf(x) / x near 0,
and of exp(x²)·erfc(x) elsewhere. Cody fits the second up to 4. Beyond, erfc is less than 2e-8, and the fit's relative
error there (2e-12, up to 6) does not show in erf. From 6 on, erf is 1 to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlml.export.graph import Graph

# The end of the first approximation, and the point from which on erf is 1.
_NEAR, _FAR = 0.46875, 6.0
# Coefficients from the highest power down, of polynomials in x², for erf(x) / x:
_NEAR_ABOVE = (
    1.85777706184603153e-1,
    3.16112374387056560,
    113.864154151050156,
    377.485237685302021,
    3209.37758913846947,
)
_NEAR_BELOW = (1.0, 23.6012909523441209, 244.024637934444173, 1282.61652607737228, 2844.23683343917062)
# Coefficients of polynomials in |x|, for exp(x²)·erfc(|x|):
_ABOVE = (
    *(2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 66.1191906371416295, 298.635138197400131),
    *(881.952221241769090, 1712.04761263407058, 2051.07837782607147, 1230.33935479799725),
)
_BELOW = (
    *(1.0, 15.7449261107098347, 117.693950891312499, 537.181101862009858, 1621.38957456669019),
    *(3290.79923573345963, 4362.61909014324716, 3439.36767414372164, 1230.33935480374942),
)


def erf(graph: Graph, x: str) -> str:
    """erf(x) with an error of at most 4e-16; NaN for NaN. Any shape."""
    # Three ranges: the first approximation near 0, 1 - exp(-x²)·ratio with the sign of x up to 6, and ±1 beyond.
    size = graph.op("Abs", x)
    near = graph.op("Mul", x, _ratio(graph, graph.op("Mul", x, x), _NEAR_ABOVE, _NEAR_BELOW))
    # |x| < 6 is False for NaN too.
    kept = graph.op("Where", graph.op("Less", size, graph.constant(_FAR)), size, graph.constant(_FAR))
    falling = graph.op("Exp", graph.op("Neg", graph.op("Mul", kept, kept)))
    rest = graph.op("Mul", falling, _ratio(graph, kept, _ABOVE, _BELOW))
    positive = graph.op("Sub", graph.constant(1.0), rest)
    far = graph.op("Where", graph.op("Less", x, graph.constant(0.0)), graph.op("Neg", positive), positive)
    found = graph.op("Where", graph.op("Less", size, graph.constant(_NEAR)), near, far)
    return graph.op("Where", graph.op("IsNaN", x), x, found)


def _ratio(graph: Graph, x: str, above: Sequence[float], below: Sequence[float]) -> str:
    return graph.op("Div", _polynomial(graph, x, above), _polynomial(graph, x, below))


def _polynomial(graph: Graph, x: str, coefficients: Sequence[float]) -> str:
    """A polynomial by Horner's scheme."""
    first, *others = coefficients
    value = graph.constant(first)
    for coefficient in others:
        value = graph.op("Add", graph.op("Mul", value, x), graph.constant(coefficient))
    return value
