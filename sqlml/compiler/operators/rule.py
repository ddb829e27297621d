"""The compile rule of an operator: a function, and the uses of the operator that it understands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlml.compiler.node import Node, NoRuleError
from sqlml.compiler.scope import Scope
from sqlml.compiler.values import BOOL, DOUBLE, FLOAT, INT32, INT64, STRING, Value

Function = Callable[[Node, list[Any], Scope], list[Value]]
Types = tuple[str, ...]

ML = "ai.onnx.ml"
# The newest operator sets that this table covers; a later one may change any operator.
NEWEST = {"": 25, ML: 5}
# Marks an attribute whose every value the function understands.
ANY = None
# The types of an input.
REAL: Types = (DOUBLE, FLOAT)
NUMBER: Types = (DOUBLE, FLOAT, INT64)
WHOLE: Types = (INT32, INT64)
COMPARED: Types = (DOUBLE, FLOAT, INT32, INT64)
TRUTH: Types = (BOOL,)
ALL: Types = (BOOL, DOUBLE, FLOAT, INT32, INT64, STRING)


@dataclass(frozen=True)
class Rule:
    """The uses of an operator that a function understands; any other use is left to ONNX Runtime.

    Attributes:
        function: gets the node, its inputs (None for one that is left out) and the scope that it adds definitions to.
        versions: the operator's versions, as its specification numbers them.
        takes: the types of each input, in order.
        attributes: ANY for one that the function reads; otherwise the values that match what the function does.
        optional: how many of the last inputs may be left out.
        many: whether there may be more inputs of the last one's types.
    """

    function: Function
    versions: tuple[int, ...]
    takes: tuple[Types, ...]
    attributes: Mapping[str, tuple[Any, ...] | None] = field(default_factory=dict)
    optional: int = 0
    many: bool = False

    def check(self, node: Node, inputs: Sequence[Value | None]) -> None:
        """Raises NoRuleError for a use of the operator that the function does not understand."""
        if node.version not in self.versions:
            raise NoRuleError("has a version without a rule")
        for name, value in node.attributes.items():
            understood = self.attributes.get(name, ())
            if understood is not ANY and not any(_same(value, one) for one in understood):
                raise NoRuleError(f"has {name} = {value}" if name in self.attributes else f"has the attribute {name}")
        if len(inputs) < len(self.takes) - self.optional or (len(inputs) > len(self.takes) and not self.many):
            raise NoRuleError(f"has {len(inputs)} inputs")
        for place, given in enumerate(inputs):
            if given is None:
                if place < len(self.takes) - self.optional:
                    raise NoRuleError("leaves out an input")
            elif given.type not in self.takes[min(place, len(self.takes) - 1)]:
                raise NoRuleError(f"has the input type {given.type}")


def _same(value: Any, understood: Any) -> bool:
    return type(value) is type(understood) and bool(value == understood)
