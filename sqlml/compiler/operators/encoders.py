"""Texts into numbers."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlml.compiler.node import Node, NoRuleError
from sqlml.compiler.scope import Scope
from sqlml.compiler.subjects import Text
from sqlml.compiler.values import DOUBLE, INT64, STRING, Term, Value, folded, table


def label_encoder(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """A number for each text that training saw, and one for all others; NULL is the text NULL_TEXT."""
    (x,) = inputs
    keys = tuple(node.attributes.get("keys_strings", ()))
    if not keys or len(set(keys)) < len(keys):
        raise NoRuleError("encodes something else than texts, or one of them twice")
    if ("values_int64s" in node.attributes) == ("values_tensor" in node.attributes):
        raise NoRuleError("encodes texts as something else than numbers")
    if "values_int64s" in node.attributes:
        kind = INT64
        values = np.array([*node.attributes["values_int64s"], node.attributes["default_int64"]], dtype=np.int64)
    else:
        kind = DOUBLE
        values, default = (np.asarray(node.attributes[name]) for name in ("values_tensor", "default_tensor"))
        if values.dtype != np.float64 or default.dtype != np.float64:
            raise NoRuleError("encodes texts as something else than doubles")
        values = np.append(values, default)
    found = np.empty(x.elements.shape, dtype=object)
    for place, element in np.ndenumerate(x.elements):
        if isinstance(element, Term):
            found[place] = table(Text(element.number, keys), values)
        else:
            # The label of a classifier.
            found[place] = folded(partial(_encoded, keys, values), [element], [STRING])
    return [Value(found, kind)]


def _encoded(keys: tuple[str, ...], values: NDArray[Any], texts: NDArray[Any]) -> NDArray[Any]:
    places = {key: place for place, key in enumerate(keys)}
    found: NDArray[Any] = values[np.array([places.get(text, len(keys)) for text in texts.flat])].reshape(texts.shape)
    return found
