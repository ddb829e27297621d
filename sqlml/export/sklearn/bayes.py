"""Emitters of scikit-learn's generative models: naive Bayes, quadratic discriminant analysis and Gaussian mixtures.

Each computes log joint likelihoods up to a common constant. The largest is the predicted class; their softmax gives the
probabilities.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlml.export.distances import each, squares
from sqlml.export.graph import Graph
from sqlml.export.sklearn.linear import many_classes
from sqlml.signature import Signature


def gaussian(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """log prior - Σ log(2πσ²)/2 - Σ (x - μ)²/2σ²."""
    constants = np.log(model.class_prior_) - 0.5 * np.log(2.0 * np.pi * model.var_).sum(axis=1)
    summed = squares(graph, x, model.theta_, over=model.var_)
    many_classes(graph, signature, _minus_half(graph, summed, constants))


def bernoulli(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """Linear in binarized x: log prior + Σ log(1 - exp θ) + Σ (θ - log(1 - exp θ))·x."""
    if model.binarize is not None:
        x = graph.cast(graph.op("Greater", x, graph.constant(float(model.binarize))))
    never = np.log(1.0 - np.exp(model.feature_log_prob_))
    constants = model.class_log_prior_ + never.sum(axis=1)
    _linear(graph, x, model.feature_log_prob_ - never, constants, signature)


def multinomial(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """log prior + θ·x."""
    _linear(graph, x, model.feature_log_prob_, model.class_log_prior_, signature)


def complement(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """θ·x, without a prior."""
    _linear(graph, x, model.feature_log_prob_, np.zeros(len(model.feature_log_prob_)), signature)


def quadratic(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """log prior - Σ log(scaling)/2 - ‖(x - μ)·rotation/√scaling‖²/2, where rotation and scaling are each class's
    covariance."""
    norms = []
    for mean, rotation, scaling in zip(model.means_, model.rotations_, model.scalings_, strict=True):
        turned = graph.op("MatMul", _minus(graph, x, mean), graph.constant(rotation * scaling**-0.5))
        norms.append(_sum(graph, graph.op("Mul", turned, turned), 1))
    logarithms = np.array([np.log(scaling).sum() for scaling in model.scalings_])
    many_classes(graph, signature, _minus_half(graph, graph.concat(norms), np.log(model.priors_) - 0.5 * logarithms))


def mixture(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """GaussianMixture: log weight + log det(factor) - width·log(2π)/2 - ‖(x - μ)·factor‖²/2, for the four covariance
    types."""
    width, chol = model.means_.shape[1], model.precisions_cholesky_
    if model.covariance_type == "full":
        determinants = np.array([np.log(np.diag(factor)).sum() for factor in chol])
    elif model.covariance_type == "tied":
        determinants = np.full(len(model.means_), np.log(np.diag(chol)).sum())
    else:
        determinants = np.log(_spread(model)).sum(axis=1)
    constants = determinants - 0.5 * width * math.log(2.0 * math.pi) + np.log(model.weights_)
    many_classes(graph, signature, _minus_half(graph, _norms(graph, x, model), constants))


def bayesian_mixture(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """BayesianGaussianMixture: a mixture whose constants are expectations over weights and precisions (Bishop 2006,
    10.46, 10.65 and 10.66). At its own mean only a component's constant is left of its log likelihood."""
    at_means = np.diag(model._estimate_log_prob(model.means_)) + model._estimate_log_weights()
    many_classes(graph, signature, _minus_half(graph, _norms(graph, x, model), at_means))


def _norms(graph: Graph, x: str, model: Any) -> str:
    """‖(x - μ)·factor‖² for the four covariance types: [rows, components]."""
    if model.covariance_type in ("diag", "spherical"):
        apart = graph.op("Sub", each(graph, x, model.means_.shape), graph.constant(model.means_[np.newaxis]))
        weighted = graph.op("Mul", apart, graph.constant(_spread(model)[np.newaxis]))
        return _sum(graph, graph.op("Mul", weighted, weighted), 2)
    chol = model.precisions_cholesky_
    factors = chol if model.covariance_type == "full" else [chol] * len(model.means_)
    return graph.concat(
        [_turned_norm(graph, x, mean, factor) for mean, factor in zip(model.means_, factors, strict=True)]
    )


def _spread(model: Any) -> NDArray[np.float64]:
    """The square roots of a diagonal or spherical model's precisions: [components, width]."""
    chol, width = model.precisions_cholesky_, model.means_.shape[1]
    spread: NDArray[np.float64] = (
        chol if model.covariance_type == "diag" else np.repeat(chol[:, np.newaxis], width, axis=1)
    )
    return spread


def _linear(
    graph: Graph, x: str, weights: NDArray[np.float64], constants: NDArray[np.float64], signature: Signature
) -> None:
    """x·weights + constants, then softmax."""
    product = graph.op("MatMul", x, graph.constant(np.ascontiguousarray(weights.T)))
    many_classes(graph, signature, graph.op("Add", product, graph.constant([constants])))


def _turned_norm(graph: Graph, x: str, mean: NDArray[np.float64], factor: NDArray[np.float64]) -> str:
    """‖x·factor - mean·factor‖²: [rows, 1]."""
    turned = graph.op("MatMul", x, graph.constant(factor))
    apart = graph.op("Sub", turned, graph.constant([mean @ factor]))
    return _sum(graph, graph.op("Mul", apart, apart), 1, keep=True)


def _minus(graph: Graph, x: str, row: NDArray[np.float64]) -> str:
    return graph.op("Sub", x, graph.constant([row]))


def _sum(graph: Graph, value: str, axis: int, *, keep: bool | None = None) -> str:
    keep = axis == 1 if keep is None else keep
    return graph.op("ReduceSum", value, graph.constant([axis], np.int64), keepdims=int(keep))


def _minus_half(graph: Graph, value: str, constants: NDArray[np.float64]) -> str:
    """constants - value/2."""
    return graph.op("Add", graph.op("Mul", value, graph.constant(-0.5)), graph.constant([constants]))
