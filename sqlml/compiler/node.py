"""One node of a graph, with its attributes as Python values and numpy arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onnx import NodeProto, TensorProto, helper, numpy_helper


class NoRuleError(Exception):
    """An operator is used in a way that cannot be said in SQL; the text says which, after the operator's name."""


@dataclass(frozen=True)
class Node:
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]

    @classmethod
    def of(cls, node: NodeProto) -> Node:
        attributes = {one.name: _plain(helper.get_attribute_value(one)) for one in node.attribute}
        return cls(node.op_type, tuple(node.input), tuple(node.output), attributes)


def _plain(value: Any) -> Any:
    if isinstance(value, TensorProto):
        return numpy_helper.to_array(value)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list) and value and isinstance(value[0], bytes):
        return [one.decode() for one in value]
    return value
