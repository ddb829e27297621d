"""Emitter of MLlib's naive Bayes: log joint likelihoods, up to a common constant, then softmax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlml.export import distances
from sqlml.export.graph import Graph
from sqlml.export.mllib import decisions
from sqlml.export.mllib.linear import margins
from sqlml.signature import Signature

_Array = NDArray[np.float64]


def classifier(graph: Graph, x: str, model: Any, parts: Sequence[Any], signature: Signature) -> None:
    """Gaussian, Bernoulli, multinomial or complement: log P(class) + Σ log P(xᵢ | class).

    Bernoulli is linear in binarized x: Σ (θ - log(1 - exp θ))·x + Σ log(1 - exp θ). Multinomial is θ·x + log prior.
    """
    theta, prior, kind = model.theta.toArray(), model.pi.toArray(), model.getModelType()
    if kind == "gaussian":
        raw = _gaussian(graph, x, theta, prior, model.sigma.toArray())
    elif kind == "bernoulli":
        # `sqlml.estimators.mllib.algorithm.ready` binarizes for MLlib in the same way.
        x = graph.cast(graph.op("Greater", x, graph.constant(0.0)))
        never = np.log(1.0 - np.exp(theta))
        raw = margins(graph, x, theta - never, prior + never.sum(axis=1))
    else:
        # The complement model has no prior. It applies log-softmax to its margins, after which softmax gives the same
        # values.
        raw = margins(graph, x, theta, prior if kind == "multinomial" else np.zeros(len(theta)))
    decisions.softmax(graph, model, signature, raw)


def _gaussian(graph: Graph, x: str, means: _Array, prior: _Array, variances: _Array) -> str:
    """log prior - Σ log σ²/2 - Σ (x - μ)²/2σ²."""
    constants = prior - np.log(variances).sum(axis=1) / 2.0
    squares = distances.squares(graph, x, means, over=variances)
    return graph.op("Sub", graph.constant([constants]), graph.op("Div", squares, graph.constant(2.0)))
