"""The outputs every graph ends with, whatever library fitted it; `sqlml.scoring.scorer` says what they are."""

from __future__ import annotations

from sqlml.export.graph import DOUBLE, INT64, STRING, Graph
from sqlml.scoring.scorer import plain_labels
from sqlml.signature import Signature


def prediction(graph: Graph, value: str) -> None:
    """A regressor's output.

    Args:
        value: [rows, 1] in double.
    """
    graph.output("prediction", _column(graph, value), DOUBLE)


def classes(graph: Graph, signature: Signature, probabilities: str, position: str) -> None:
    """The outputs of a model that says one of some labels.

    Args:
        probabilities: [rows, classes] in double, in the order of the signature's labels; scores where the signature
            says that there are no probabilities.
        position: [rows] in int64: which label it is.
    """
    label(graph, signature, position)
    name = "probabilities" if signature.probabilities else "scores"
    graph.output(name, probabilities, DOUBLE, len(signature.labels))


def label(graph: Graph, signature: Signature, position: str) -> None:
    """The output that says one of the signature's labels.

    Args:
        position: [rows] in int64: which one.
    """
    labels = plain_labels(signature).to_numpy(zero_copy_only=False)
    value = graph.op("Gather", graph.constant(labels, labels.dtype), position)
    graph.output("label", value, {"O": STRING, "i": INT64, "f": DOUBLE}[labels.dtype.kind])


def anomaly(graph: Graph, signature: Signature, score: str, *, at_zero: bool = False) -> None:
    """An anomaly detector's outputs: whether the score is above 0, and the score.

    Args:
        score: [rows, 1] in double.
        at_zero: whether 0 is an anomaly too.
    """
    kind = "GreaterOrEqual" if at_zero else "Greater"
    position = whether(graph, graph.op(kind, score, graph.constant([[0.0]])))
    classes(graph, signature, opposite(graph, score), position)


def both(graph: Graph, second: str) -> str:
    """The probabilities of two classes from that of the second: [rows, 1] → [rows, 2]."""
    return graph.concat([graph.op("Sub", graph.constant([[1.0]]), second), second])


def opposite(graph: Graph, second: str) -> str:
    """The scores of two classes from that of the second: [rows, 1] → [rows, 2]."""
    return graph.concat([graph.op("Neg", second), second])


def first_largest(graph: Graph, scores: str) -> str:
    """The position of each row's largest score, the first where several are equal: [rows, n] → [rows]."""
    return graph.op("ArgMax", scores, axis=1, keepdims=0)


def whether(graph: Graph, condition: str) -> str:
    """Position 1 where a condition holds and 0 elsewhere: [rows, 1] boolean → [rows]."""
    return graph.cast(_column(graph, condition), INT64)


def _column(graph: Graph, value: str) -> str:
    return graph.op("Squeeze", value, graph.constant([1], "int64"))
