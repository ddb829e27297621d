"""Emitter of MLlib's generalized linear regression: the inverse link of the linear predictor, clipped to the family's
range."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

from sqlml.export import outputs
from sqlml.export.error_function import erf
from sqlml.export.graph import Graph
from sqlml.export.mllib import decisions
from sqlml.export.mllib.linear import margins
from sqlml.signature import Signature

_LARGEST = sys.float_info.max
# MLlib keeps the mean this far away from the bounds that its family excludes.
_EPSILON = 1e-16
_DEFAULT_LINKS = {"gaussian": "identity", "binomial": "logit", "poisson": "log", "gamma": "inverse"}
# Powers of the mean that have a name as a link.
_NAMED_POWERS = {0.0: "log", 1.0: "identity", -1.0: "inverse", 0.5: "sqrt"}


def regression(graph: Graph, x: str, model: Any, parts: Sequence[Any], signature: Signature) -> None:
    """link⁻¹(x·β + b), clipped to the family's range."""
    eta = margins(graph, x, model.coefficients.toArray(), model.intercept)
    family = model.getFamily().lower()
    mean = _tweedie(graph, eta, model) if family == "tweedie" else _LINKS[_link(model, family)](graph, eta)
    low, high = _range(model, family)
    # Two Where nodes keep NaN as it is; Clip need not.
    mean = graph.op("Where", graph.op("Less", mean, graph.constant(low)), graph.constant(low), mean)
    mean = graph.op("Where", graph.op("Greater", mean, graph.constant(high)), graph.constant(high), mean)
    outputs.prediction(graph, mean)


def _link(model: Any, family: str) -> str:
    link: str = model.getLink() if model.isDefined("link") else _DEFAULT_LINKS[family]
    return link.lower()


def _tweedie(graph: Graph, eta: str, model: Any) -> str:
    """The inverse of a power link: η^(1/power), or a named link."""
    power = model.getLinkPower() if model.isDefined("linkPower") else 1.0 - model.getVariancePower()
    if power in _NAMED_POWERS:
        return _LINKS[_NAMED_POWERS[power]](graph, eta)
    return graph.op("Pow", eta, graph.constant(1.0 / power))


def _range(model: Any, family: str) -> tuple[float, float]:
    """The range of the family's means, as MLlib clips them."""
    if family == "gaussian" or (family == "tweedie" and model.getVariancePower() == 0.0):
        return -_LARGEST, _LARGEST
    return _EPSILON, 1.0 - _EPSILON if family == "binomial" else _LARGEST


def _one_over(graph: Graph, value: str) -> str:
    return graph.op("Div", graph.constant(1.0), value)


def _complementary_log_log(graph: Graph, eta: str) -> str:
    """1 - exp(-exp(η))."""
    return graph.op("Sub", graph.constant(1.0), graph.op("Exp", graph.op("Neg", graph.op("Exp", eta))))


def _normal(graph: Graph, eta: str) -> str:
    """The standard normal distribution function, (1 + erf(η/√2)) / 2."""
    value = erf(graph, graph.op("Div", eta, graph.constant(math.sqrt(2.0))))
    return graph.op("Mul", graph.op("Add", value, graph.constant(1.0)), graph.constant(0.5))


_LINKS: dict[str, Callable[[Graph, str], str]] = {
    "cloglog": _complementary_log_log,
    "identity": lambda graph, eta: eta,
    "inverse": _one_over,
    "log": lambda graph, eta: graph.op("Exp", eta),
    "logit": decisions.sigmoid,
    "probit": _normal,
    "sqrt": lambda graph, eta: graph.op("Mul", eta, eta),
}
