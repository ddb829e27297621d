"""Emitters of a graph's outputs, shared by all libraries; `sqlml.scoring.scorer` describes them."""

from __future__ import annotations

from sqlml.export.graph import DOUBLE, INT64, STRING, Graph
from sqlml.scoring.scorer import plain_labels
from sqlml.signature import Signature


def prediction(graph: Graph, value: str) -> None:
    """Adds a regressor's output `prediction`.

    Args:
        value: [rows, 1] in double.
    """
    graph.output("prediction", _column(graph, value), DOUBLE)


def classes(graph: Graph, signature: Signature, probabilities: str, position: str) -> None:
    """Adds the outputs of a classifier or clustering: `label`, and `probabilities` or `scores`.

    Args:
        probabilities: [rows, classes] in double, in the order of the signature's labels; scores if the signature has no
            probabilities.
        position: [rows] in int64: the label's index.
    """
    label(graph, signature, position)
    name = "probabilities" if signature.probabilities else "scores"
    graph.output(name, probabilities, DOUBLE, len(signature.labels))


def label(graph: Graph, signature: Signature, position: str) -> None:
    """Adds the output `label`: Gather of the signature's labels.

    Args:
        position: [rows] in int64: the label's index.
    """
    labels = plain_labels(signature).to_numpy(zero_copy_only=False)
    value = graph.op("Gather", graph.constant(labels, labels.dtype), position)
    graph.output("label", value, {"O": STRING, "i": INT64, "f": DOUBLE}[labels.dtype.kind])


def anomaly(graph: Graph, signature: Signature, score: str, *, at_zero: bool = False) -> None:
    """Adds an anomaly detector's outputs: True if the score is above 0, and the score.

    Args:
        score: [rows, 1] in double.
        at_zero: True if a score of 0 is an anomaly too.
    """
    kind = "GreaterOrEqual" if at_zero else "Greater"
    position = binary_class_index(graph, graph.op(kind, score, graph.constant([[0.0]])))
    classes(graph, signature, opposite(graph, score), position)


def binary_probabilities(graph: Graph, second: str) -> str:
    """The probabilities of two classes from the second's: [rows, 1] → [1 - p, p], [rows, 2]."""
    return graph.concat([graph.op("Sub", graph.constant([[1.0]]), second), second])


def opposite(graph: Graph, second: str) -> str:
    """The scores of two classes from the second's: [rows, 1] → [-s, s], [rows, 2]."""
    return graph.concat([graph.op("Neg", second), second])


def first_largest(graph: Graph, scores: str) -> str:
    """The index of each row's largest score, the first on ties: [rows, n] → [rows]."""
    return graph.op("ArgMax", scores, axis=1, keepdims=0)


def binary_class_index(graph: Graph, condition: str) -> str:
    """Index 1 if a condition holds and 0 otherwise: [rows, 1] boolean → [rows]."""
    return graph.cast(_column(graph, condition), INT64)


def _column(graph: Graph, value: str) -> str:
    return graph.op("Squeeze", value, graph.constant([1], "int64"))
