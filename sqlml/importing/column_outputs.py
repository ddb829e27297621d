"""Outputs that say less than they seem to: constants, and the columns of one tensor returned one by one.

skl2onnx writes both: `output_class_labels` returns the list of the classes, and `zipmap='columns'` returns the
probability of each class as an output of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlml.importing.classes import constant_values, made_behind_form, makers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onnx import GraphProto, NodeProto

_SELECTORS = ("ArrayFeatureExtractor", "Gather")


def varying(graph: GraphProto) -> set[str]:
    """The values that depend on an input; the others are the same for all rows."""
    constants = {tensor.name for tensor in graph.initializer}
    found = {value.name for value in graph.input} - constants
    for node in graph.node:
        if found.intersection(node.input):
            found.update(node.output)
    return found


def common_tensor(graph: GraphProto, outputs: Sequence[str]) -> str | None:
    """The tensor of which the outputs are the columns 0, 1, … in this order; None where they are not."""
    made = makers(graph)
    sources = set()
    for index, output in enumerate(outputs):
        node = made_behind_form(made, output)
        if node is None or _column(graph, made, node) != index:
            return None
        sources.add(node.input[0])
    return sources.pop() if len(sources) == 1 else None


def _column(graph: GraphProto, made: dict[str, NodeProto], node: NodeProto) -> int | None:
    """The column that a node selects from its first input; None where it selects anything else."""
    values = [constant_values(graph, made, name) for name in node.input[1:]]
    if node.op_type == "Slice" and len(values) >= 3 and all(len(value) == 1 for value in values):
        start, end, axis, *step = (value[0] for value in values)
        return start if end == start + 1 and axis == 1 and step in ([], [1]) else None
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
    if node.op_type in _SELECTORS and len(values[0]) == 1 and (node.op_type != "Gather" or axis == 1):
        return values[0][0] if isinstance(values[0][0], int) else None
    return None
