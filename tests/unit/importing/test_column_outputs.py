"""Scores in outputs of their own, one for each class, and outputs that are constants."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from helpers.foreign_graphs import graph, ml_node, node

from sqlml.errors import SqlmlError
from sqlml.importing import requested
from sqlml.importing.loading import opened
from sqlml.scoring.scorer import Scorer

_ROWS = np.array([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [1.0, 0.0, 4.0], [0.5, 0.25, 0.125]], np.float32)


def _selector(kind: str, column: int) -> list[Any]:
    """The nodes from `p` to the output of one column."""
    if kind == "Slice":
        return [
            node("Slice", f"p c{column} c{column + 1} c1", f"s{column}"),
            node("Reshape", f"s{column} flat", f"i{column}"),
        ]
    if kind == "Gather":
        return [node("Gather", f"p c{column}", f"i{column}", axis=1)]
    return [ml_node("ArrayFeatureExtractor", f"p c{column}", f"i{column}")]


def _classifier(kind: str, order: tuple[int, ...], extra: tuple[Any, ...] = ()) -> bytes:
    """Softmax of three features, whose columns are outputs; the label is the largest."""
    nodes = [node("Softmax", "x", "p", axis=1), node("ArgMax", "x", "best", axis=1, keepdims=0)]
    nodes.append(ml_node("LabelEncoder", "best", "label", keys_int64s=[0, 1, 2], values_strings=["a", "b", "c"]))
    for column in order:
        nodes += _selector(kind, column)
    outputs = [("label", "string", ["n"]), *((f"i{column}", "float", ["n", 1]) for column in order), *extra]
    constants = {f"c{index}": np.array([index]) for index in range(4)}
    constants |= {"flat": np.array([-1, 1]), "words": np.array(["a", "b", "c"], object)}
    if extra:
        nodes.append(node("Identity", "words", "class_labels"))
    content: bytes = graph([("x", "float", ["n", 3])], outputs, nodes, constants).SerializeToString()
    return content


def _columns() -> list[pa.Array]:
    return [pa.array(column) for column in _ROWS.T]


@pytest.mark.parametrize("kind", ["Slice", "Gather", "ArrayFeatureExtractor"])
def test_columns_of_one_tensor_are_the_probabilities(kind: str) -> None:
    found = opened(_classifier(kind, (0, 1, 2)), requested(features=["x", "y", "z"]), None, ())
    assert found.signature.labels == ("a", "b", "c") and found.signature.probabilities
    scorer = Scorer(found.onnx, found.signature)
    assert scorer.label(_columns()).to_pylist() == ["a", "b", "c", "a"]
    chances = [[chance for _, chance in pairs] for pairs in scorer.probabilities(_columns()).to_pylist()]
    assert np.allclose(chances, np.exp(_ROWS) / np.exp(_ROWS).sum(axis=1, keepdims=True), atol=1e-6)


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 1)], ids=["another order", "one is missing"])
def test_other_columns_are_not_guessed(order: tuple[int, ...]) -> None:
    with pytest.raises(SqlmlError, match="several outputs that could be its prediction: label, i"):
        opened(_classifier("Slice", order), requested(features=["x", "y", "z"]), None, ())


def test_a_constant_output_is_left_out() -> None:
    content = _classifier("Slice", (0, 1, 2), (("class_labels", "string", [3]),))
    found = opened(content, requested(features=["x", "y", "z"]), None, ())
    assert found.signature.labels == ("a", "b", "c")
    with pytest.raises(SqlmlError, match="returned 3 results for"):
        opened(content, requested(features=["x", "y", "z"], outputs=["class_labels"], labels=["a", "b", "c"]), None, ())
