"""Column pruning: which features a model's answer can depend on; the others need not be read.

A forward data-flow analysis over the graph, in which each element of a tensor knows the features that it may change
with (rules: `sqlml.compiler.feature_flow`). An operator without a rule, or used in a way that its rule does not know,
lets every feature of its inputs reach every output.

A feature that only meets weights of 0 is pruned, whatever its values. In the graph itself 0 · NaN is NaN, so a missing
value would make the sum NULL; after pruning, a column that the model ignores cannot make a prediction NULL. This holds
where the weighted element is finite for every number; behind a logarithm or a division the feature is used. Overflow to
infinity on the way, as in a product of numbers beyond 1e300, is ignored.
"""

from __future__ import annotations

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, numpy_helper

from sqlml.compiler.feature_flow import Flow, UnknownFlowError, constant, everything, of_feature
from sqlml.compiler.node import Node
from sqlml.compiler.operators import row_of
from sqlml.scoring.scorer import input_name
from sqlml.signature import Signature


def used_features(onnx: bytes, signature: Signature) -> tuple[bool, ...]:
    """Returns for each of the signature's features whether the graph's outputs can depend on it.

    A required feature is used, because where it is missing there is no prediction. Where no feature is used the first
    counts as used, because the rows have to be counted.
    """
    model = ModelProto.FromString(onnx)
    features = len(signature.features)
    flows: dict[str, Flow] = {}
    for tensor in model.graph.initializer:
        flows[tensor.name] = constant(numpy_helper.to_array(tensor), features)
    for tensor in model.graph.sparse_initializer:
        flows[tensor.values.name] = everything([], features)
    for index, feature in enumerate(signature.features):
        flows[input_name(feature.name)] = of_feature(index, features)
    own = {(function.domain, function.name) for function in model.functions}
    for node in model.graph.node:
        flows.update(zip(node.output, _outputs(node, flows, own, features), strict=False))
    used = _reached(model.graph, flows, features)
    used |= [feature.required for feature in signature.features]
    if not used.any():
        used[:1] = True
    return tuple(used.tolist())


def _outputs(node: NodeProto, flows: dict[str, Flow], own: set[tuple[str, str]], features: int) -> list[Flow]:
    """The flows of a node's outputs by its rule; without an applicable rule, everything."""
    if any(name and name not in flows for name in node.input) or any(
        one.g.node or one.graphs for one in node.attribute
    ):
        # A subgraph may read any tensor of the outer graph.
        return [_all(features)] * len(node.output)
    inputs = [flows[name] if name else None for name in node.input]
    row = row_of(node.domain, node.op_type)
    if row is not None and callable(row.flow) and (node.domain, node.op_type) not in own:
        try:
            found = row.flow(Node.of(node), inputs, features)
        except (UnknownFlowError, IndexError, KeyError, TypeError, ValueError):
            # The operator is used in a way that the rule does not cover.
            found = None
        if found is not None:
            return found
    return [everything([flow for flow in inputs if flow is not None], features)] * len(node.output)


def _all(features: int) -> Flow:
    return everything([of_feature(index, features) for index in range(features)], features)


def _reached(graph: GraphProto, flows: dict[str, Flow], features: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """The features that any output of the graph depends on."""
    used = np.zeros(features, np.bool_)
    for output in graph.output:
        used |= flows.get(output.name, _all(features)).union
    return used
