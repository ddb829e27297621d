"""A small writer of ONNX graphs: ai.onnx 21 and ai.onnx.ml 5, float64 unless a library itself computes in float32."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from sqlml.scoring.scorer import EXACT_ROWS, MOST_ROWS, input_name

DOUBLE, FLOAT, INT64, STRING = TensorProto.DOUBLE, TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING
ML = "ai.onnx.ml"
OPSETS = (("", 21), (ML, 5))
IR_VERSION = 10


class Graph:
    """Nodes in the order they are written; every method that adds one returns the name of its output.

    Args:
        opsets: domain and version of the operators; another model's where its nodes are taken over.
        columns: names of inputs that will be asked for when there are nodes already.
    """

    def __init__(self, opsets: Sequence[tuple[str, int]] = OPSETS, columns: Iterable[str] = ()) -> None:
        self._opsets = opsets
        self._columns = {input_name(column) for column in columns}
        self._nodes: list[Any] = []
        self._constants: dict[tuple[Any, ...], str] = {}
        self._initializers: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._count = 0
        self._metadata: dict[str, str] = {}
        self._captured: dict[str, str] | None = None

    def most_rows(self, rows: int) -> None:
        """How many rows may be scored at once; `sqlml.scoring.scorer` cuts larger batches."""
        known = int(self._metadata.get(MOST_ROWS, rows))
        self._metadata[MOST_ROWS] = str(max(1, min(rows, known)))

    def exact_rows(self, rows: int) -> None:
        """The only number of rows that can be scored at once; `sqlml.scoring.scorer` cuts and lengthens batches."""
        self._metadata[EXACT_ROWS] = str(rows)

    def input(self, name: str, dtype: int) -> str:
        """A column of the query: one tensor of shape [rows, 1]."""
        name = input_name(name)
        self._columns.add(name)
        self._inputs.append(helper.make_tensor_value_info(name, dtype, [None, 1]))
        return name

    def embed(
        self, other: GraphProto, nodes: Sequence[NodeProto], prefix: str, inputs: Mapping[str, str]
    ) -> dict[str, str]:
        """Takes over another graph's nodes and constants; only their names change.

        Args:
            nodes: those of its nodes that are wanted, in its order.
            prefix: before every name, so that none of them meets one of this graph.
            inputs: for each of its inputs, the value of this graph that feeds it.

        Returns:
            What the values that its nodes make are called here.
        """
        known = {**inputs, "": ""}
        wanted = {name for node in nodes for name in node.input}
        for initializer in other.initializer:
            if initializer.name in wanted:
                copied = TensorProto()
                copied.CopyFrom(initializer)
                known[initializer.name] = copied.name = prefix + initializer.name
                self._initializers.append(copied)
        for place, node in enumerate(nodes):
            taken = NodeProto()
            taken.CopyFrom(node)
            # Some tools name no node, or several the same.
            taken.name = f"{prefix}{place}/{node.name}"
            known.update({name: prefix + name for name in node.output if name})
            taken.input[:] = [known[name] for name in node.input]
            taken.output[:] = [known[name] for name in node.output]
            self._nodes.append(taken)
        return known

    def output(self, name: str, value: str, dtype: int, width: int | str | None = None) -> None:
        """A result of shape [rows], or [rows, width]; a text stands for a width that nobody knows yet."""
        if self._captured is not None:
            self._captured[name] = value
            return
        self._nodes.append(helper.make_node("Identity", [value], [name], name=f"output_{name}"))
        shape = [None] if width is None else [None, width]
        self._outputs.append(helper.make_tensor_value_info(name, dtype, shape))

    def captured(self, write: Callable[[], None]) -> dict[str, str]:
        """What would become outputs, by name, as values inside the graph: a model that is part of another."""
        before, self._captured = self._captured, {}
        try:
            write()
            return self._captured
        finally:
            self._captured = before

    def constant(self, value: Any, dtype: Any = np.float64) -> str:
        """A constant tensor; equal constants are stored once."""
        array = np.asarray(value, dtype=dtype)
        key = (array.dtype.str, array.shape, array.tobytes() if array.dtype != object else tuple(array.ravel()))
        if key not in self._constants:
            self._constants[key] = name = self._name("constant")
            self._initializers.append(numpy_helper.from_array(array, name))
        return self._constants[key]

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """One node with one output."""
        output = self._name(kind)
        self._nodes.append(
            helper.make_node(kind, list(inputs), [output], name=f"node_{output}", domain=domain, **attributes)
        )
        return output

    def ops(self, kind: str, *inputs: str, outputs: int, **attributes: Any) -> list[str]:
        """One node with several outputs."""
        names = [self._name(kind) for _ in range(outputs)]
        self._nodes.append(helper.make_node(kind, list(inputs), names, name=f"node_{names[0]}", **attributes))
        return names

    def ml(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """One node of the ai.onnx.ml domain."""
        return self.op(kind, *inputs, domain=ML, **attributes)

    def cast(self, value: str, dtype: int = DOUBLE) -> str:
        return self.op("Cast", value, to=dtype)

    def concat(self, values: Sequence[str]) -> str:
        """Columns side by side: [rows, a] and [rows, b] → [rows, a + b]."""
        return values[0] if len(values) == 1 else self.op("Concat", *values, axis=1)

    def model(self) -> ModelProto:
        """The finished and checked model."""
        graph = helper.make_graph(self._nodes, "sqlml", self._inputs, self._outputs, self._initializers)
        opsets = [helper.make_opsetid(domain, version) for domain, version in self._opsets]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="sqlml")
        helper.set_model_props(model, self._metadata)
        checker.check_model(model)
        return model

    def _name(self, prefix: str) -> str:
        # A name of ours must not meet a column's name, whatever the column is called.
        while True:
            self._count += 1
            name = f"__{prefix}_{self._count}"
            if name not in self._columns:
                return name
