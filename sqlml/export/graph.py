"""A builder of ONNX graphs for ai.onnx 21 and ai.onnx.ml 5, in float64 unless a library itself computes in float32."""

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
    """An ONNX graph under construction. Methods that add a node return the name of its output.

    Args:
        opsets: domains and versions of the operators; those of another model if its nodes are embedded.
        columns: names of inputs that will be added after nodes; generated names avoid them.
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
        """Limits the rows of a batch; `sqlml.scoring.scorer` cuts larger ones. The lowest limit holds."""
        known = int(self._metadata.get(MOST_ROWS, rows))
        self._metadata[MOST_ROWS] = str(max(1, min(rows, known)))

    def exact_rows(self, rows: int) -> None:
        """Fixes the rows of a batch; `sqlml.scoring.scorer` cuts and pads batches to this size."""
        self._metadata[EXACT_ROWS] = str(rows)

    def input(self, name: str, dtype: int) -> str:
        """Adds a graph input for a column of the query, a tensor of shape [rows, 1]."""
        name = input_name(name)
        self._columns.add(name)
        self._inputs.append(helper.make_tensor_value_info(name, dtype, [None, 1]))
        return name

    def embed(
        self, other: GraphProto, nodes: Sequence[NodeProto], prefix: str, inputs: Mapping[str, str]
    ) -> dict[str, str]:
        """Copies nodes and initializers of another graph under new names.

        Args:
            nodes: the nodes to copy, in the other graph's order.
            prefix: a prefix for all names, so that they are unique.
            inputs: the other graph's inputs → the values of this graph that feed them.

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
        for index, node in enumerate(nodes):
            taken = NodeProto()
            taken.CopyFrom(node)
            # Some tools leave nodes unnamed, or give several the same name.
            taken.name = f"{prefix}{index}/{node.name}"
            known.update({name: prefix + name for name in node.output if name})
            taken.input[:] = [known[name] for name in node.input]
            taken.output[:] = [known[name] for name in node.output]
            self._nodes.append(taken)
        return known

    def output(self, name: str, value: str, dtype: int, width: int | str | None = None) -> None:
        """Adds a graph output of shape [rows], or [rows, width]; a text is a symbolic width. Inside `captured` it only
        notes the value."""
        if self._captured is not None:
            self._captured[name] = value
            return
        self._nodes.append(helper.make_node("Identity", [value], [name], name=f"output_{name}"))
        shape = [None] if width is None else [None, width]
        self._outputs.append(helper.make_tensor_value_info(name, dtype, shape))

    def captured(self, write: Callable[[], None]) -> dict[str, str]:
        """Runs an emitter and returns the values it would make outputs, by name, without adding outputs: for a model
        inside another."""
        before, self._captured = self._captured, {}
        try:
            write()
            return self._captured
        finally:
            self._captured = before

    def constant(self, value: Any, dtype: Any = np.float64) -> str:
        """The name of a constant tensor; equal constants are stored once."""
        array = np.asarray(value, dtype=dtype)
        key = (array.dtype.str, array.shape, array.tobytes() if array.dtype != object else tuple(array.ravel()))
        if key not in self._constants:
            self._constants[key] = name = self._name("constant")
            self._initializers.append(numpy_helper.from_array(array, name))
        return self._constants[key]

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Adds a node with one output."""
        output = self._name(kind)
        self._nodes.append(
            helper.make_node(kind, list(inputs), [output], name=f"node_{output}", domain=domain, **attributes)
        )
        return output

    def ops(self, kind: str, *inputs: str, outputs: int, **attributes: Any) -> list[str]:
        """Adds a node with several outputs."""
        names = [self._name(kind) for _ in range(outputs)]
        self._nodes.append(helper.make_node(kind, list(inputs), names, name=f"node_{names[0]}", **attributes))
        return names

    def ml(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Adds a node of the ai.onnx.ml domain."""
        return self.op(kind, *inputs, domain=ML, **attributes)

    def prefix(self, of: str) -> str:
        """A prefix that no name begins with, for `embed`."""
        return f"{self._name(of)}/"

    def fragment(self) -> tuple[list[NodeProto], list[TensorProto]]:
        """The nodes and constants written so far, for another builder."""
        return list(self._nodes), list(self._initializers)

    def cast(self, value: str, dtype: int = DOUBLE) -> str:
        return self.op("Cast", value, to=dtype)

    def concat(self, values: Sequence[str]) -> str:
        """Concatenates columns: [rows, a] and [rows, b] → [rows, a + b]."""
        return values[0] if len(values) == 1 else self.op("Concat", *values, axis=1)

    def model(self) -> ModelProto:
        """The finished model, checked by onnx.checker."""
        graph = helper.make_graph(self._nodes, "sqlml", self._inputs, self._outputs, self._initializers)
        opsets = [helper.make_opsetid(domain, version) for domain, version in self._opsets]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="sqlml")
        helper.set_model_props(model, self._metadata)
        checker.check_model(model)
        return model

    def _name(self, prefix: str) -> str:
        # A generated name must not equal a column's name, whatever the user calls it.
        while True:
            self._count += 1
            name = f"__{prefix}_{self._count}"
            if name not in self._columns:
                return name
