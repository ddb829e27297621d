"""Optimizes a graph for scoring, on the driver: adds the label's index as an output."""

from __future__ import annotations

from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from sqlml.scoring.scorer import POSITION, plain_labels
from sqlml.signature import Signature


def prepared(onnx: bytes, signature: Signature) -> bytes:
    """Returns the graph with one more output, `sqlml.scoring.scorer.POSITION`, if its label is an element of a
    constant.

    A Python object for every row's label, and a search for it among the labels, take longer than a small model. Instead
    the index from which the graph gathers the label becomes an output.
    """
    if not signature.labels:
        return onnx
    model = ModelProto.FromString(onnx)
    graph = model.graph
    nodes = {name: node for node in graph.node for name in node.output}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    label = nodes.get("label")
    while label is not None and label.op_type == "Identity":
        label = nodes.get(label.input[0])
    names = {*nodes, *constants, *(one.name for one in graph.input)}
    if label is None or POSITION in names or not _looks_up(label, constants, signature):
        return onnx
    graph.node.append(helper.make_node("Cast", [label.input[1]], [POSITION], to=TensorProto.INT64))
    graph.output.append(helper.make_tensor_value_info(POSITION, TensorProto.INT64, [None]))
    return model.SerializeToString()


def _looks_up(label: NodeProto, constants: dict[str, TensorProto], signature: Signature) -> bool:
    """Returns whether the label is a Gather from a constant that has the signature's labels in order."""
    if label.op_type != "Gather" or label.attribute or label.input[0] not in constants:
        return False
    found = numpy_helper.to_array(constants[label.input[0]])
    known = plain_labels(signature).to_pylist()
    return found.ndim == 1 and [_text(value) for value in found.tolist()] == known


def _text(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value
