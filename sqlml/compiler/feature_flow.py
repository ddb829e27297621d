"""Data-flow analysis of an ONNX graph: for each operator, which features each element of its outputs depends on.

The rows of `sqlml.compiler.operators.OPERATORS` name these rules. A rule gets the node, the flows of its inputs and the
number of features, and returns the flows of its outputs; `sqlml.compiler.feature_usage` runs the rules over a graph and
prunes the features that reach no output. All shapes are those of one row. A rule may report too many features, never
too few: a node without a rule lets every feature through.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlml.compiler.node import Node

# The largest `Flow.features` (elements × features). A model with larger tensors compares a row with its training rows
# (nearest neighbours, kernels), and so depends on all features anyway.
_MOST = 20_000_000


class UnknownFlowError(Exception):
    """A rule cannot follow the features through a node; the caller assumes that each of them reaches every output."""


@dataclass(frozen=True)
class Flow:
    """The features that each element of a tensor depends on.

    Attributes:
        features: [*shape, features], true where an element depends on a feature; [features] where no shape is known.
        wild: [*shape], true where an element may be infinite or NaN although all features are finite.
        value: the tensor itself where it is a constant.
        shaped: whether the shape is known.
    """

    features: NDArray[np.bool_]
    wild: NDArray[np.bool_]
    value: NDArray[Any] | None = None
    shaped: bool = True

    @property
    def union(self) -> NDArray[np.bool_]:
        """[features]: the features that any element depends on."""
        return np.asarray(self.features.reshape(-1, self.features.shape[-1]).any(axis=0))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row; UnknownFlowError where it is not known."""
        if not self.shaped:
            raise UnknownFlowError
        return self.wild.shape


FlowRule = Callable[[Node, list[Any], int], list[Flow]]


def of_feature(place: int, features: int) -> Flow:
    """The flow of a graph input, [1, 1], which depends on the feature of that index alone."""
    return Flow((np.arange(features) == place).reshape(1, 1, -1), np.zeros((1, 1), np.bool_))


def constant(value: NDArray[Any], features: int) -> Flow:
    """The flow of a constant: it depends on no feature, and is wild where it is infinite or NaN."""
    wild = ~np.isfinite(value) if value.dtype.kind == "f" else np.broadcast_to(np.False_, value.shape)
    return Flow(np.broadcast_to(np.False_, (*value.shape, features)), wild, value)


def everything(inputs: Sequence[Flow], features: int) -> Flow:
    """The conservative flow: every element depends on every feature of every input."""
    union = np.zeros(features, np.bool_)
    for flow in inputs:
        union |= flow.union
    return Flow(union, np.array(True), shaped=False)


def _given(flow: Flow | None) -> NDArray[Any]:
    """The value of an input that has to be constant; UnknownFlowError where it is not."""
    if flow is None or flow.value is None:
        raise UnknownFlowError
    return flow.value


def _sized(shape: Sequence[int], features: int) -> tuple[int, ...]:
    """The shape as a tuple; UnknownFlowError where a flow of that shape would be too large."""
    if math.prod(shape) * features > _MOST:
        raise UnknownFlowError
    return tuple(shape)


# -- element by element ------------------------------------------------------------------------------------------------


def _pairs(inputs: list[Flow], features: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The union of the inputs' features and of their wild elements, after broadcasting."""
    shape = _sized(np.broadcast_shapes(*(flow.shape for flow in inputs)), features)
    met, wild = np.zeros((*shape, features), np.bool_), np.zeros(shape, np.bool_)
    for flow in inputs:
        lacking = (1,) * (len(shape) - len(flow.shape))
        met |= flow.features.reshape(*lacking, *flow.features.shape)
        wild |= flow.wild
    return met, wild


def elementwise(node: Node, inputs: list[Any], features: int) -> list[Flow]:
    return [Flow(*_pairs([flow for flow in inputs if flow is not None], features))]


def unbounded(node: Node, inputs: list[Any], features: int) -> list[Flow]:
    """A function that is undefined or infinite for some finite numbers (Log, Sqrt, Reciprocal, …)."""
    met, wild = _pairs(inputs, features)
    return [Flow(met, wild | met.any(axis=-1))]


def finite(node: Node, inputs: list[Any], features: int) -> list[Flow]:
    """A function with finite results only, even of NaN: comparisons, logic."""
    met, wild = _pairs(inputs, features)
    return [Flow(met, np.zeros_like(wild))]


def multiply(node: Node, inputs: list[Any], features: int) -> list[Flow]:
    """Mul: a finite element times the constant 0 depends on no feature."""
    met, wild = _pairs(inputs, features)
    for weight in inputs:
        if weight.value is not None:
            met[np.broadcast_to(weight.value == 0, wild.shape) & ~wild] = False
    return [Flow(met, wild)]


def divide(node: Node, inputs: list[Any], features: int) -> list[Flow]:
    met, wild = _pairs(inputs, features)
    below = inputs[1]
    risky = below.features.any(axis=-1) if below.value is None else below.value == 0
    return [Flow(met, wild | risky)]


def power(node: Node, inputs: list[Any], features: int) -> list[Flow]:
    met, wild = _pairs(inputs, features)
    exponent = inputs[1].value
    harmless = exponent is not None and np.all((exponent >= 0) & (exponent == np.floor(exponent)))
    return [Flow(met, wild if harmless else wild | met.any(axis=-1))]


def scale(node: Node, inputs: list[Any], features: int) -> list[Flow]:
    weights = np.asarray(node.attributes.get("scale", [1.0]), np.float64)
    return multiply(node, [inputs[0], constant(weights, features)], features)


def encode_labels(node: Node, inputs: list[Any], features: int) -> list[Flow]:
    flow = inputs[0]
    given = {name: np.asarray(value) for name, value in node.attributes.items()}
    numbers = [value for name, value in given.items() if name.startswith(("values_", "default_"))]
    finite = all(value.dtype.kind != "f" or np.isfinite(value).all() for value in numbers)
    # Versions of the operator differ in the default value of an unknown key, so without one it counts as wild.
    told = any(name.startswith("default_") for name in given)
    return [Flow(flow.features, np.full(flow.shape, not (finite and told)))]


def one_hot(node: Node, inputs: list[Any], features: int) -> list[Flow]:
    (flow,) = inputs
    categories = len(node.attributes.get("cats_strings") or node.attributes["cats_int64s"])
    shape = _sized((*flow.shape, categories), features)
    return [Flow(np.broadcast_to(flow.features[..., None, :], (*shape, features)), np.zeros(shape, np.bool_))]


# -- operators that move elements --------------------------------------------------------------------------------------


def _moves(move: Callable[[Node, list[Any], NDArray[np.int64]], Any]) -> FlowRule:
    """The rule of an operator that only moves the elements of its first input.

    `move` is applied to a tensor of their flat indices, which then select rows of the input's flow.
    """

    def rule(node: Node, inputs: list[Any], features: int) -> list[Flow]:
        flow = inputs[0]
        places = np.arange(math.prod(flow.shape)).reshape(flow.shape)
        moved = move(node, inputs, places)
        outputs = []
        for taken in moved if isinstance(moved, list) else [moved]:
            _sized(taken.shape, features)
            value = None if flow.value is None else flow.value.ravel()[taken]
            outputs.append(Flow(flow.features.reshape(-1, features)[taken], flow.wild.ravel()[taken], value))
        return outputs

    return rule


def _axes(node: Node, inputs: list[Any]) -> tuple[int, ...]:
    """The axes of an operator: an attribute, or since opset 13 the second input."""
    found = node.attributes["axes"] if "axes" in node.attributes else _given(inputs[1]).ravel().tolist()
    return tuple(int(axis) for axis in found)


@_moves
def gather(node: Node, inputs: list[Any], places: NDArray[np.int64]) -> Any:
    return np.take(places, _given(inputs[1]), axis=node.attributes.get("axis", 0))


@_moves
def extract(node: Node, inputs: list[Any], places: NDArray[np.int64]) -> Any:
    return places[..., _given(inputs[1]).ravel()]


@_moves
def cut(node: Node, inputs: list[Any], places: NDArray[np.int64]) -> Any:
    """Slice with its bounds as inputs, as it has them since opset 10."""
    starts, ends, *more = (_given(flow).ravel().tolist() for flow in inputs[1:] if flow is not None)
    axes, steps = [*more, None, None][:2]
    for axis, start, end, step in zip(
        axes or range(len(starts)), starts, ends, steps or [1] * len(starts), strict=True
    ):
        places = places[(slice(None),) * (axis % places.ndim) + (slice(start, end, step),)]
    return places


@_moves
def reshape(node: Node, inputs: list[Any], places: NDArray[np.int64]) -> Any:
    wanted = _given(inputs[1]).tolist()
    if node.attributes.get("allowzero"):
        raise UnknownFlowError
    return places.reshape([places.shape[axis] if size == 0 else size for axis, size in enumerate(wanted)])


@_moves
def flatten(node: Node, inputs: list[Any], places: NDArray[np.int64]) -> Any:
    axis = node.attributes.get("axis", 1)
    return places.reshape(math.prod(places.shape[:axis]), -1)


@_moves
def squeeze(node: Node, inputs: list[Any], places: NDArray[np.int64]) -> Any:
    return np.squeeze(places, axis=_axes(node, inputs))


@_moves
def unsqueeze(node: Node, inputs: list[Any], places: NDArray[np.int64]) -> Any:
    return np.expand_dims(places, _axes(node, inputs))


@_moves
def transpose(node: Node, inputs: list[Any], places: NDArray[np.int64]) -> Any:
    return np.transpose(places, node.attributes.get("perm"))


@_moves
def identity(node: Node, inputs: list[Any], places: NDArray[np.int64]) -> Any:
    return places


def concatenate(node: Node, inputs: list[Any], features: int) -> list[Flow]:
    axis = node.attributes.get("axis", 1)
    length = max(len(flow.shape) for flow in inputs)
    axis = axis + length if axis < 0 else axis
    met = np.concatenate([flow.features for flow in inputs], axis=axis)
    return [Flow(met, np.concatenate([flow.wild for flow in inputs], axis=axis))]


# -- reductions and products -------------------------------------------------------------------------------------------


def _reduced(wild_too: bool) -> FlowRule:
    def rule(node: Node, inputs: list[Any], features: int) -> list[Flow]:
        flow = inputs[0]
        axes = tuple(axis % len(flow.shape) for axis in _axes(node, inputs))
        if not axes and not node.attributes.get("noop_with_empty_axes", 0):
            axes = tuple(range(len(flow.shape)))
        keep = bool(node.attributes.get("keepdims", 1))
        met = flow.features.any(axis=axes, keepdims=keep)
        wild = flow.wild.any(axis=axes, keepdims=keep)
        return [Flow(met, wild | met.any(axis=-1) if wild_too else wild)]

    return rule


reduce, reduce_unbounded = _reduced(wild_too=False), _reduced(wild_too=True)


def index_of_largest(node: Node, inputs: list[Any], features: int) -> list[Flow]:
    """ArgMax and ArgMin: the result is a finite index even where elements are NaN."""
    (flow,) = inputs
    axis = node.attributes.get("axis", 0) % len(flow.shape)
    met = flow.features.any(axis=axis, keepdims=bool(node.attributes.get("keepdims", 1)))
    return [Flow(met, np.zeros(met.shape[:-1], np.bool_))]


def row_by_row(node: Node, inputs: list[Any], features: int) -> list[Flow]:
    """Softmax and its kin, along the columns of a matrix: each element depends on its whole row."""
    flow = inputs[0]
    if len(flow.shape) != 2 or node.attributes.get("axis", 1) not in (1, -1):
        raise UnknownFlowError
    met = np.broadcast_to(flow.features.any(axis=1, keepdims=True), flow.features.shape)
    return [Flow(met, np.broadcast_to(flow.wild.any(axis=1, keepdims=True), flow.shape))]


def norm(node: Node, inputs: list[Any], features: int) -> list[Flow]:
    flow = inputs[0]
    met = np.broadcast_to(flow.features.any(axis=-2, keepdims=True), flow.features.shape)
    return [Flow(met, np.ones(flow.shape, np.bool_))]


def _product(flow: Flow, weights: NDArray[Any], features: int) -> Flow:
    """The flow of [rows, k] times a constant [k, m]: a feature is pruned where all its weights are 0."""
    rows, _ = flow.shape
    _sized((rows, weights.shape[1]), features)
    matters = (weights != 0).astype(np.float32)
    met = np.einsum("rkf,km->rmf", flow.features.astype(np.float32), matters, optimize=True) > 0
    # 0 · ∞ is NaN, so an element that may be infinite counts even where its weight is 0.
    met |= (flow.features & flow.wild[..., None]).any(axis=1, keepdims=True)
    wild = flow.wild.any(axis=1, keepdims=True) | ~np.isfinite(weights).all(axis=0)
    return Flow(met, np.broadcast_to(wild, (rows, weights.shape[1])))


def _turned(flow: Flow) -> Flow:
    value = None if flow.value is None else flow.value.T
    if len(flow.shape) != 2:
        raise UnknownFlowError
    return Flow(flow.features.transpose(1, 0, 2), flow.wild.T, value)


def matrix_product(node: Node, inputs: list[Any], features: int) -> list[Flow]:
    left, right = inputs
    if right.value is not None:
        return [_product(left, right.value, features)]
    return [_turned(_product(_turned(right), _given(left).T, features))]


def general_product(node: Node, inputs: list[Any], features: int) -> list[Flow]:
    left = _turned(inputs[0]) if node.attributes.get("transA") else inputs[0]
    right = _turned(inputs[1]) if node.attributes.get("transB") else inputs[1]
    found = matrix_product(node, [left, right], features)
    added = [flow for flow in inputs[2:] if flow is not None]
    return [Flow(*_pairs([*found, *added], features))]


# -- models ------------------------------------------------------------------------------------------------------------


def linear_model(node: Node, inputs: list[Any], features: int) -> list[Flow]:
    """A feature whose coefficient is 0 in all of the sums is pruned."""
    (flow,) = inputs
    weights = np.asarray(node.attributes["coefficients"], np.float64).reshape(-1, flow.shape[-1])
    return [everything([_product(flow, weights.T, features)], features)] * len(node.outputs)


def trees(node: Node, inputs: list[Any], features: int) -> list[Flow]:
    """Features that no split tests are pruned. A split with two equal children tests nothing."""
    (flow,) = inputs
    looked_at = np.asarray(node.attributes["nodes_featureids"], np.int64)
    if node.kind == "TreeEnsemble":
        sides = [np.asarray(node.attributes[f"nodes_{side}nodeids"]) for side in ("true", "false")]
        kinds = [np.asarray(node.attributes[f"nodes_{side}leafs"]) for side in ("true", "false")]
        looks = (sides[0] != sides[1]) | (kinds[0] != kinds[1])
    else:
        looks = np.array([mode != "LEAF" for mode in node.attributes["nodes_modes"]], np.bool_)
    met = flow.features.reshape(-1, flow.shape[-1], features)[:, np.unique(looked_at[looks])]
    return [Flow(met.any(axis=(0, 1)), np.array(True), shaped=False)] * len(node.outputs)


def of_constant(node: Node, inputs: list[Any], features: int) -> list[Flow]:
    return [constant(np.asarray(node.attributes["value"]), features)]
