"""The adapter of an imported graph: keeps the model's own nodes and adds sqlml's inputs before and outputs behind them.

It is used twice: first without a `Reading`, to see what the raw outputs are on some rows, then with one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sqlml.export.graph import ML, OPSETS, Graph
from sqlml.importing import inputs, outputs
from sqlml.importing.classes import makers
from sqlml.importing.inputs import Slot
from sqlml.importing.outputs import Answer, Reading

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

# Before opset 9 Flatten takes only floats: https://onnx.ai/onnx/operators/onnx__Flatten.html
_FLATTENS_ALL = 9


def adapted(model: ModelProto, filled: Sequence[Slot], answers: Sequence[Answer], reading: Reading | None) -> bytes:
    """Returns the serialized graph with one input per feature.

    Args:
        reading: how the outputs are interpreted; None to return each raw output as `answer_<index>`, [rows, k].
    """
    columns = [feature.name for slot in filled for feature in slot.features]
    graph = Graph(_opsets(model), columns)
    fed = inputs.feed(graph, filled)
    prefix = _prefix(columns)
    known = graph.embed(model.graph, _needed(model.graph, [answer.value for answer in answers]), prefix, fed)
    values = {answer.name: graph.cast(_matrix(graph, known[answer.value], model), answer.dtype) for answer in answers}
    if reading is None:
        for index, answer in enumerate(answers):
            graph.output(f"answer_{index}", values[answer.name], answer.dtype, "k")
    else:
        outputs.write(graph, reading, values)
    rows = inputs.batch(filled)
    if rows is not None:
        graph.exact_rows(rows)
    content: bytes = graph.model().SerializeToString()
    return content


def _matrix(graph: Graph, value: str, model: ModelProto) -> str:
    """Brings [rows] to [rows, 1] and leaves [rows, k] as it is."""
    if dict(_opsets(model))[""] < _FLATTENS_ALL:
        return graph.op("Reshape", value, graph.constant([0, -1], "int64"))
    return graph.op("Flatten", value, axis=1)


def _opsets(model: ModelProto) -> list[tuple[str, int]]:
    """The model's own opset versions, and sqlml's for each domain that the model does not use.

    A domain other than ONNX's two occurs only where an administrator has allowed one of its operators.
    """
    theirs = {"" if opset.domain == "ai.onnx" else opset.domain: opset.version for opset in model.opset_import}
    ours = dict(OPSETS)
    if theirs.get(ML) == 1 and not any(node.op_type == "LabelEncoder" for node in model.graph.node):
        # The adapter needs LabelEncoder of version 2; between 1 and 2 no other operator of the domain changed.
        theirs[ML] = 2
    more = sorted({node.domain for node in model.graph.node} - {"", "ai.onnx", ML})
    return [(domain, theirs.get(domain, ours.get(domain, 1))) for domain in ("", ML, *more)]


def _prefix(names: Sequence[str]) -> str:
    """A prefix for the model's values that no feature's name begins with."""
    prefix = "model/"
    while any(name.startswith(prefix) for name in names):
        prefix = f"_{prefix}"
    return prefix


def _needed(graph: GraphProto, values: Iterable[str]) -> list[NodeProto]:
    """Dead-code elimination: the nodes that the given values depend on, in the graph's order."""
    made = makers(graph)
    wanted, left = set(), list(values)
    while left:
        node = made.get(left.pop())
        if node is not None and id(node) not in wanted:
            wanted.add(id(node))
            left += node.input
    return [node for node in graph.node if id(node) in wanted]
