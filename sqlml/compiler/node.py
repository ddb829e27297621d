"""A node of an ONNX graph with its attributes as Python values and numpy arrays.

Its version is the one in which the operator last changed, as the pages of its specification are numbered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onnx import NodeProto, TensorProto, defs, helper, numpy_helper


class NoRuleError(Exception):
    """A use of an operator that has no translation; the text completes the sentence "operator X …"."""


@dataclass(frozen=True)
class Node:
    """An operator's name, inputs, outputs, attributes, domain and version."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    domain: str = ""
    version: int = 0

    @classmethod
    def of(cls, node: NodeProto, opsets: Mapping[str, int] | None = None) -> Node:
        """Reads a node.

        Args:
            opsets: the versions of the model's operator sets; `version` is the one in which the operator last changed,
                0 where that is not known.
        """
        domain = "" if node.domain == "ai.onnx" else node.domain
        version = _version(node.op_type, domain, opsets.get(domain, 0)) if opsets else 0
        attributes = {one.name: _plain(helper.get_attribute_value(one)) for one in node.attribute}
        return cls(node.op_type, tuple(node.input), tuple(node.output), attributes, domain, version)


def _version(kind: str, domain: str, opset: int) -> int:
    try:
        return int(defs.get_schema(kind, opset, domain).since_version)
    except defs.SchemaError:
        return 0


def _plain(value: Any) -> Any:
    if isinstance(value, TensorProto):
        return numpy_helper.to_array(value)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list) and value and isinstance(value[0], bytes):
        return [one.decode() for one in value]
    return value
