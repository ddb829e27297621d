"""A taint analysis of a graph: finds an operator whose output's size depends on the values of a row.

Such a graph is refused: its tensors are small on the trial rows but can be arbitrarily large when it scores. A size
computed from another tensor's shape, by `Shape` or `Size`, is allowed: it depends only on the number of rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlml.importing.operators import ONNX, known_domain, operators

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

_SHAPES = ("Shape", "Size")


def depends_on_values(graph: GraphProto) -> tuple[NodeProto, str] | None:
    """Returns the first operator whose output's size depends on the values of a row, and the input it depends on.

    Values computed from the graph's inputs are tainted; `Shape` and `Size` remove the taint. Returns None if no
    shape input is tainted. Where an administrator has allowed an operator whose output always depends on values, it has
    no shape input.
    """
    constants = {tensor.name for tensor in graph.initializer}
    known = operators(ONNX)
    of_rows = {value.name for value in graph.input if value.name not in constants}
    for node in graph.node:
        plain = known_domain(node.domain) == ONNX
        row = known.get(node.op_type) if plain else None
        for place in () if row is None else row.sizes:
            if place < len(node.input) and node.input[place] in of_rows:
                return node, node.input[place]
        if not (plain and node.op_type in _SHAPES) and any(name in of_rows for name in node.input):
            of_rows.update(node.output)
    return None
