"""Graphs in the layout that sqlml scores: columns in, one row of doubles out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from sqlml.signature import Feature, Signature

ML = "ai.onnx.ml"
DOUBLE, FLOAT, INT32, INT64 = TensorProto.DOUBLE, TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64
BOOL, STRING = TensorProto.BOOL, TensorProto.STRING


class RowGraph:
    """A graph while it is made.

    Args:
        opset: of ONNX's own operators; `ml` of those of ai.onnx.ml.
        required: whether a row has no answer where one of its numbers is missing or infinite.
    """

    def __init__(self, opset: int, ml: int, *, required: bool = False) -> None:
        self._required = required
        self._opsets = [helper.make_opsetid("", opset), helper.make_opsetid(ML, ml)]
        self.opset = opset
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: list[Any] = []
        self._features: list[Feature] = []
        self._count = 0

    def name(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def node(self, kind: str, inputs: Sequence[str], *, domain: str = "", outputs: int = 1, **attributes: Any) -> Any:
        names = [self.name() for _ in range(outputs)]
        made = helper.make_node(kind, list(inputs), names, domain=domain, **attributes)
        self._nodes.append(made)
        return names[0] if outputs == 1 else names

    def add(self, node: Any) -> None:
        self._nodes.append(node)

    def constant(self, value: Any, dtype: Any = None) -> str:
        name = self.name()
        self._constants.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def column(self, element: int) -> str:
        """A feature: an integer (a required one), a text, or a double."""
        place = len(self._features)
        kinds = {INT64: "bigint", INT32: "bigint", STRING: "string"}
        kind = kinds.get(element, "double")
        self._features.append(
            Feature(f"x{place}", kind, required=kind == "bigint" or (kind == "double" and self._required))
        )
        known = {"bigint": INT64, "string": STRING}.get(kind, DOUBLE)
        self._inputs.append(helper.make_tensor_value_info(f"x{place}", known, [None, 1]))
        return f"x{place}"

    def row(self, element: int, shape: Sequence[int]) -> str:
        """Columns side by side as [rows, *shape] of a type."""
        columns = [self.column(element) for _ in range(int(np.prod(shape, dtype=int)))]
        value = columns[0] if len(columns) == 1 else self.node("Concat", columns, axis=1)
        if element in (FLOAT, INT32):
            value = self.node("Cast", [value], to=element)
        if element == BOOL:
            value = self.node("Greater", [value, self.constant(0.5, np.float64)])
        return value if len(shape) == 1 else self.node("Reshape", [value, self.constant([-1, *shape], np.int64)])

    def numbers(self, value: str, element: int, count: int) -> str:
        """[rows, …] of a type as [rows, count] doubles."""
        if element == BOOL:
            one, zero = self.constant(1.0, np.float64), self.constant(0.0, np.float64)
            value = self.node("Where", [value, one, zero])
        elif element != DOUBLE:
            value = self.node("Cast", [value], to=DOUBLE)
        return str(self.node("Reshape", [value, self.constant([-1, count], np.int64)]))

    def finish(self, values: Sequence[str], count: int) -> tuple[bytes, Signature]:
        """The bytes, whose prediction is all values side by side."""
        whole = values[0] if len(values) == 1 else self.node("Concat", values, axis=1)
        self._nodes.append(helper.make_node("Identity", [whole], ["prediction"]))
        output = helper.make_tensor_value_info("prediction", DOUBLE, [None, count])
        graph = helper.make_graph(self._nodes, "rows", self._inputs, [output], self._constants)
        model = helper.make_model(graph, opset_imports=self._opsets, ir_version=10)
        names = tuple(f"y{place}" for place in range(count)) if count > 1 else ()
        signature = Signature("regression", tuple(self._features), "y", "double", outputs=names)
        return model.SerializeToString(), signature


def column_values(array: NDArray[Any]) -> list[list[Any]]:
    """The features of each row of an array [rows, …], in the order of `RowGraph.row`."""
    flat = array.reshape(len(array), -1)
    if array.dtype.kind == "b":
        return [[float(value) for value in row] for row in flat.tolist()]
    return [list(row) for row in flat.tolist()]
