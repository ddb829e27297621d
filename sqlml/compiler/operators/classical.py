"""Rules for linear models and linear support vector machines of ai.onnx.ml, and for a classifier's label and scores."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlglot import exp

from sqlml.compiler.lookup_keys import Condition
from sqlml.compiler.node import Node, NoRuleError
from sqlml.compiler.operators import arithmetic
from sqlml.compiler.operators.matrices import first_largest_of, matrix_product, softmax
from sqlml.compiler.scope import Scope
from sqlml.compiler.values import BOOL, FLOAT, INT64, STRING, Lookup, Value, is_constant, of, plain, table


def linear_regressor(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """LinearRegressor: https://onnx.ai/onnx/operators/onnx_aionnxml_LinearRegressor.html"""
    read = node.attributes
    weights = _numbers(read["coefficients"]).reshape(int(read.get("targets", 1)), -1)
    return [_regression(node, inputs, scope, weights, _numbers(read.get("intercepts", ())))]


def linear_classifier(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """LinearClassifier: https://onnx.ai/onnx/operators/onnx_aionnxml_LinearClassifier.html

    A single score for two labels is that of the second, which wins above 0; of several scores the first maximum wins.
    """
    read = node.attributes
    labels = labels_of(node, "classlabels_ints")
    intercepts = _numbers(read.get("intercepts", ()))
    weights = _numbers(read["coefficients"]).reshape(len(intercepts), -1)
    sums = _affine(node, inputs, scope, weights, intercepts)
    transform = read.get("post_transform", "NONE")
    if len(intercepts) == 1 and len(labels) == 2:
        return [chosen_above(scope, sums, 0.0, labels), second_of_two(node, sums, scope, transform, from_one=True)]
    if len(intercepts) != len(labels):
        raise NoRuleError("does not have one score for each label")
    return [label_at(first_largest_of(scope, sums), labels), transformed(node, sums, scope, transform)]


def svm_regressor(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """SVMRegressor with a linear kernel: https://onnx.ai/onnx/operators/onnx_aionnxml_SVMRegressor.html"""
    if node.attributes.get("one_class", 0):
        raise NoRuleError("returns distances between rows")
    weights, rho = _support(node)
    return [_regression(node, inputs, scope, weights, rho)]


def svm_classifier(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """SVMClassifier with a linear kernel: https://onnx.ai/onnx/operators/onnx_aionnxml_SVMClassifier.html

    Two classes without probabilities: the decision value d speaks for the first, and the scores are −d and d.
    """
    labels = labels_of(node, "classlabels_ints")
    read = node.attributes
    if len(labels) != 2 or read.get("prob_a") or read.get("post_transform", "NONE") != "NONE":
        raise NoRuleError("has more than two classes, or probabilities")
    if not read.get("vectors_per_class"):
        raise NoRuleError("has no support vectors")
    weights, rho = _support(node)
    sums = _affine(node, inputs, scope, weights, rho)
    sums = of([scope.term(sums.elements[0, 0], FLOAT)], FLOAT)
    (negative,) = arithmetic.negate(node, [sums], scope)
    return [chosen_above(scope, sums, 0.0, labels[::-1]), of([negative.elements[0, 0], sums.elements[0, 0]], FLOAT)]


# -- labels ------------------------------------------------------------------------------------------------------------


def labels_of(node: Node, whole: str) -> list[Any]:
    """Returns the labels of a classifier node; `whole` is the name of its integer attribute."""
    labels = list(node.attributes.get("classlabels_strings") or node.attributes.get(whole) or ())
    if not labels:
        raise NoRuleError("has no labels")
    return labels


def chosen_above(scope: Scope, score: Value, limit: float, labels: list[Any]) -> Value:
    """Returns the second of two labels where a score [1, 1] is above a limit, else the first."""
    (element,) = score.elements.flat
    if is_constant(element):
        return _label(labels[int(element > limit)])
    number = element if scope.engine.arrays else scope.numbered(element, score.type)
    above = exp.GT(this=scope.sql(number, score.type), expression=scope.literal(limit, score.type))
    condition = scope.define(above, BOOL, nullable=True)
    return _label(table(Condition(condition.number, (True,)), _array(labels[::-1])))


def label_at(position: Any, labels: list[Any]) -> Value:
    """Returns the label at an index that is constant or a lookup."""
    array = _array(labels)
    if isinstance(position, Lookup):
        return _label(table(position.subject, array[position.values]))
    return _label(labels[position])


def _label(element: Any) -> Value:
    text = element.values.dtype == object if isinstance(element, Lookup) else isinstance(element, str)
    return of([element], STRING if text else INT64, (1,))


def _array(labels: list[Any]) -> NDArray[Any]:
    return np.array(labels, dtype=object if isinstance(labels[0], str) else np.int64)


# -- scores ------------------------------------------------------------------------------------------------------------


def second_of_two(node: Node, score: Value, scope: Scope, transform: str, *, from_one: bool) -> Value:
    """Returns the scores of two classes from that of the second: σ(−s) and σ(s), or 1 − s (or −s) and s."""
    score = of([scope.term(score.elements[0, 0], score.type)], score.type)
    if transform == "LOGISTIC":
        (second,) = arithmetic.sigmoid(node, [score], scope)
        (first,) = arithmetic.sigmoid(node, arithmetic.negate(node, [score], scope), scope)
    elif transform == "PROBIT":
        raise NoRuleError("is followed by PROBIT")
    else:
        second = score
        whole = plain(np.array([[1.0]], dtype=np.float32))
        (first,) = (
            arithmetic.subtract(node, [whole, score], scope) if from_one else arithmetic.negate(node, [score], scope)
        )
    return of([first.elements[0, 0], second.elements[0, 0]], score.type)


def transformed(node: Node, sums: Value, scope: Scope, transform: str) -> Value:
    """Returns the scores after a classifier's `post_transform`."""
    if transform == "NONE":
        return sums
    if transform == "LOGISTIC":
        return arithmetic.sigmoid(node, [sums], scope)[0]
    if transform == "SOFTMAX":
        named = of([scope.term(element, sums.type) for element in sums.elements[0]], sums.type)
        return softmax(Node("Softmax", (), (), {}), [named], scope)[0]
    raise NoRuleError(f"is followed by {transform}")


def _regression(
    node: Node, inputs: list[Value], scope: Scope, weights: NDArray[Any], intercepts: NDArray[Any]
) -> Value:
    if node.attributes.get("post_transform", "NONE") != "NONE":
        raise NoRuleError(f"is followed by {node.attributes['post_transform']}")
    return _affine(node, inputs, scope, weights, intercepts)


def _affine(node: Node, inputs: list[Value], scope: Scope, weights: NDArray[Any], intercepts: NDArray[Any]) -> Value:
    """x × weightsᵀ + intercepts, of a row of float32."""
    (x,) = inputs
    if x.type != FLOAT or x.elements.ndim != 2 or x.elements.shape[1] != weights.shape[1]:
        raise NoRuleError("does not multiply a row of float32")
    (sums,) = matrix_product(node, [x, plain(weights.T)], scope)
    return arithmetic.add(node, [sums, plain(intercepts[np.newaxis])], scope)[0] if len(intercepts) else sums


def _support(node: Node) -> tuple[NDArray[Any], NDArray[Any]]:
    """A linear machine as one row of weights, the sum of its support vectors times their coefficients; and its rho."""
    read = node.attributes
    if read.get("kernel_type", "LINEAR") != "LINEAR":
        raise NoRuleError(f"has the kernel {read['kernel_type']}")
    coefficients, rho = _numbers(read["coefficients"]), _numbers(read["rho"])
    vectors = _numbers(read.get("support_vectors", ()))
    if len(rho) != 1:
        raise NoRuleError("compares several pairs of classes")
    if not len(vectors):
        return coefficients[np.newaxis], rho
    wide = vectors.reshape(len(coefficients), -1).astype(np.float64)
    return (coefficients.astype(np.float64) @ wide).astype(np.float32)[np.newaxis], rho


def _numbers(given: Any) -> NDArray[np.float32]:
    return np.array(given, dtype=np.float32)
