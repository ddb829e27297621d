"""Emitters of kernel models: support vector machines and Gaussian processes, which compare x with training rows."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from sklearn.gaussian_process._gpc import COEFS, LAMBDAS

from sqlml.export import outputs
from sqlml.export.distances import squares
from sqlml.export.error_function import erf
from sqlml.export.graph import Graph
from sqlml.signature import Signature


def support_vector_classifier(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """SVC and NuSVC: one margin K(x, SV)·w + b for each pair of classes; the class with the most votes wins, the first
    on ties.

    The scores are scikit-learn's decision function: votes plus the sums of margins, squeezed to less than ±1/3.
    """
    pairs = list(combinations(range(len(signature.labels)), 2))
    product = graph.op("MatMul", _kernel(graph, x, model), graph.constant(_pair_weights(model, pairs)))
    margins = graph.op("Add", product, graph.constant([model._intercept_]))
    if len(pairs) == 1:
        # libsvm's margin is positive for the first class; at 0 the second wins.
        second = graph.op("Not", graph.op("Greater", margins, graph.constant([[0.0]])))
        scores = outputs.opposite(graph, graph.op("Neg", margins))
        return outputs.classes(graph, signature, scores, outputs.binary_class_index(graph, second))
    scores = _decision(graph, margins, pairs, len(signature.labels))
    votes = scores if model.break_ties else _votes(graph, graph.op("Greater", margins, graph.constant(0.0)), pairs)
    return outputs.classes(graph, signature, scores, outputs.first_largest(graph, votes))


def support_vector_regressor(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """K(x, SV)·α + b."""
    outputs.prediction(graph, _single(graph, x, model))


def one_class(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """OneClassSVM: the anomaly score is -(K(x, SV)·α + b)."""
    outputs.anomaly(graph, signature, graph.op("Neg", _single(graph, x, model)), at_zero=True)


def kernel_ridge(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """K(x, X)·α; without `gamma` it is 1 / columns."""
    rows = model.X_fit_
    gamma = 1.0 / rows.shape[1] if model.gamma is None else float(model.gamma)
    kernel = _between(graph, x, rows, model.kernel, gamma, float(model.coef0), float(model.degree))
    outputs.prediction(graph, graph.op("MatMul", kernel, graph.constant(np.asarray(model.dual_coef_).reshape(-1, 1))))


def gaussian_process(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """The posterior mean of the process: K(x, X)·α, scaled back to the target's mean and deviation."""
    mean = graph.op("MatMul", _covariance(graph, x, model), graph.constant(np.asarray(model.alpha_).reshape(-1, 1)))
    scaled = graph.op("Mul", mean, graph.constant(float(np.ravel(model._y_train_std)[0])))
    outputs.prediction(graph, graph.op("Add", scaled, graph.constant(float(np.ravel(model._y_train_mean)[0]))))


def gaussian_process_classifier(graph: Graph, x: str, model: Any, signature: Signature) -> None:
    """One process for two classes, or one-vs-rest processes whose probabilities are divided by their sum; the first
    largest wins."""
    of_classes = getattr(model.base_estimator_, "estimators_", [model.base_estimator_])
    # All processes have the same training rows and the same kernel, whose parameters are not optimized.
    covariance = _covariance(graph, x, of_classes[0])
    found = [_latent(graph, covariance, one) for one in of_classes]
    if len(found) == 1:
        ((mean, probability),) = found
        position = outputs.binary_class_index(graph, graph.op("Greater", mean, graph.constant([[0.0]])))
        return outputs.classes(graph, signature, outputs.binary_probabilities(graph, probability), position)
    each = graph.concat([probability for _, probability in found])
    total = graph.op("ReduceSum", each, graph.constant([1], np.int64), keepdims=1)
    return outputs.classes(graph, signature, graph.op("Div", each, total), outputs.first_largest(graph, each))


def _covariance(graph: Graph, x: str, model: Any) -> str:
    """scikit-learn's default kernel, c·exp(-‖x - xᵢ‖² / (2·l²)), between x and the training rows: [rows, training
    rows]."""
    constant, gaussian = model.kernel_.k1, model.kernel_.k2
    distance = graph.op("Div", squares(graph, x, model.X_train_), graph.constant(gaussian.length_scale**2))
    kernel = graph.op("Exp", graph.op("Mul", distance, graph.constant(-0.5)))
    return graph.op("Mul", kernel, graph.constant(constant.constant_value))


def _latent(graph: Graph, covariance: str, model: Any) -> tuple[str, str]:
    """Laplace's approximation (Rasmussen and Williams 2006, algorithm 3.2): the mean of the latent function, and the
    probability of the second class, each [rows, 1]. A sum of five error functions approximates the logistic one
    (Williams and Barber 1998)."""
    mean = graph.op("MatMul", covariance, graph.constant((model.y_train_ - model.pi_).reshape(-1, 1)))
    # Multiplying by the inverse is safe here: the triangular matrix has eigenvalues of 1 and more.
    inverse = solve_triangular(model.L_, np.diag(model.W_sr_), lower=True)
    known = graph.op("MatMul", covariance, graph.constant(np.ascontiguousarray(inverse.T)))
    explained = graph.op("ReduceSum", graph.op("Mul", known, known), graph.constant([1], np.int64), keepdims=1)
    variance = graph.op("Sub", graph.constant(model.kernel_.k1.constant_value), explained)
    alpha = graph.op("Div", graph.constant(1.0), graph.op("Mul", variance, graph.constant(2.0)))
    lambdas, coefficients = LAMBDAS.reshape(1, -1), COEFS.reshape(1, -1)
    share = graph.op("Div", alpha, graph.op("Add", alpha, graph.constant(lambdas**2)))
    value = erf(graph, graph.op("Mul", graph.op("Mul", mean, graph.constant(lambdas)), graph.op("Sqrt", share)))
    # Each integral contributes half: √(π / α) / (2 · √(2 π · variance)) = 1/2.
    summed = graph.op("MatMul", value, graph.constant(coefficients.T / 2.0))
    return mean, graph.op("Add", summed, graph.constant(float(coefficients.sum()) / 2.0))


def _kernel(graph: Graph, x: str, model: Any) -> str:
    """The kernel between x and the support vectors."""
    return _between(graph, x, model.support_vectors_, model.kernel, model._gamma, model.coef0, float(model.degree))


def _between(graph: Graph, x: str, rows: Any, kernel: str, gamma: float, coef0: float, degree: float) -> str:
    """The kernel between x and other rows: rbf, linear, sigmoid or polynomial; [rows of x, other rows]."""
    if kernel == "rbf":
        return graph.op("Exp", graph.op("Mul", squares(graph, x, rows), graph.constant(-gamma)))
    product = graph.op("MatMul", x, graph.constant(np.ascontiguousarray(rows.T)))
    if kernel == "linear":
        return product
    shifted = graph.op("Add", graph.op("Mul", product, graph.constant(gamma)), graph.constant(coef0))
    return graph.op("Tanh", shifted) if kernel == "sigmoid" else graph.op("Pow", shifted, graph.constant(degree))


def _single(graph: Graph, x: str, model: Any) -> str:
    """K(x, SV)·α + b, [rows, 1]."""
    if not len(model.support_vectors_):
        # Without support vectors (every training row within epsilon) the prediction is the intercept.
        nothing = graph.op("ReduceSum", graph.op("Mul", x, graph.constant(0.0)), graph.constant([1], np.int64))
        return graph.op("Add", nothing, graph.constant([model.intercept_]))
    product = graph.op("MatMul", _kernel(graph, x, model), graph.constant(np.ascontiguousarray(model.dual_coef_.T)))
    return graph.op("Add", product, graph.constant([model.intercept_]))


def _pair_weights(model: Any, pairs: list[tuple[int, int]]) -> NDArray[np.float64]:
    """The dual coefficients as [support vectors, pairs]. libsvm stores vectors by class, with a row of weights for each
    other class."""
    ends = np.cumsum(model.n_support_)
    of_class = [slice(end - count, end) for end, count in zip(ends, model.n_support_, strict=True)]
    weights = np.zeros((len(model.support_vectors_), len(pairs)))
    for index, (first, second) in enumerate(pairs):
        weights[of_class[first], index] = model._dual_coef_[second - 1, of_class[first]]
        weights[of_class[second], index] = model._dual_coef_[first, of_class[second]]
    return weights


def _sides(pairs: list[tuple[int, int]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two one-hot matrices [pairs, classes]: the first and the second class of each pair."""
    classes = 1 + max(second for _, second in pairs)
    firsts, seconds = (np.eye(classes)[[pair[side] for pair in pairs]] for side in (0, 1))
    return firsts, seconds


def _votes(graph: Graph, for_first: str, pairs: list[tuple[int, int]]) -> str:
    """The number of pairs that each class wins: [rows, classes]."""
    firsts, seconds = _sides(pairs)
    won = graph.op("MatMul", graph.cast(for_first), graph.constant(firsts))
    return graph.op("Add", won, graph.op("MatMul", graph.cast(graph.op("Not", for_first)), graph.constant(seconds)))


def _decision(graph: Graph, margins: str, pairs: list[tuple[int, int]], classes: int) -> str:
    """votes + s / (3·(|s| + 1)), where s are the classes' sums of signed margins."""
    firsts, seconds = _sides(pairs)
    votes = _votes(graph, graph.op("GreaterOrEqual", margins, graph.constant(0.0)), pairs)
    sums = graph.op("MatMul", margins, graph.constant(firsts - seconds))
    size = graph.op("Add", graph.op("Abs", sums), graph.constant(1.0))
    return graph.op("Add", votes, graph.op("Div", sums, graph.op("Mul", size, graph.constant(3.0))))
