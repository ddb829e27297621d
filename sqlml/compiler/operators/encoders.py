"""The rule for LabelEncoder, which maps texts or class indices to numbers."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlml.compiler.lookup_keys import Place, Text
from sqlml.compiler.node import Node, NoRuleError
from sqlml.compiler.scope import Scope
from sqlml.compiler.values import DOUBLE, INT64, STRING, Term, Value, folded, table


def label_encoder(node: Node, inputs: list[Value], scope: Scope) -> list[Value]:
    """LabelEncoder: https://onnx.ai/onnx/operators/onnx_aionnxml_LabelEncoder.html

    A number for each known text or class index, and a default for all others. A NULL text has the key
    `sqlml.scoring.feature_values.NULL_TEXT`, which SQL tests with IS NULL. The checks come first, then keys and values,
    then each element becomes a lookup table: over a text (`Text`) or over a class index (`Place`).
    """
    (x,) = inputs
    numbers = tuple(node.attributes.get("keys_int64s", ()))
    keys = numbers or tuple(node.attributes.get("keys_strings", ()))
    if not keys or len(set(keys)) < len(keys) or ("keys_strings" in node.attributes) == bool(numbers):
        raise NoRuleError("does not encode texts, or encodes one of them twice")
    if numbers and set(numbers) != set(range(len(numbers))):
        raise NoRuleError("encodes numbers that are not class indices from 0")
    if ("values_int64s" in node.attributes) == ("values_tensor" in node.attributes):
        raise NoRuleError("encodes texts, but not as numbers")
    # A lookup table has the default last.
    if "values_int64s" in node.attributes:
        kind = INT64
        values = np.array([*node.attributes["values_int64s"], node.attributes["default_int64"]], dtype=np.int64)
    else:
        kind = DOUBLE
        values, default = (np.asarray(node.attributes[name]) for name in ("values_tensor", "default_tensor"))
        if values.dtype != np.float64 or default.dtype != np.float64:
            raise NoRuleError("encodes texts, but not as doubles")
        values = np.append(values, default)
    if numbers:
        # Sorted by key, because the lookup's keys are 0, 1, …
        keys, values[:-1] = tuple(range(len(numbers))), values[np.argsort(numbers)]
    found = np.empty(x.elements.shape, dtype=object)
    for place, element in np.ndenumerate(x.elements):
        if isinstance(element, Term):
            subject = Place(element.number, keys) if numbers else Text(element.number, keys)
            found[place] = table(subject, values)
        else:
            # A constant or a lookup, such as the label of a classifier, is folded.
            found[place] = folded(partial(_encoded, keys, values), [element], [INT64 if numbers else STRING])
    return [Value(found, kind)]


def _encoded(keys: tuple[Any, ...], values: NDArray[Any], texts: NDArray[Any]) -> NDArray[Any]:
    places = {key: place for place, key in enumerate(keys)}
    found: NDArray[Any] = values[np.array([places.get(text, len(keys)) for text in texts.flat])].reshape(texts.shape)
    return found
