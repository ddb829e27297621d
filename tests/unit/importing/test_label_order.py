"""Imported classifiers: the probability that SQL shows of a class is that of the label which the graph itself says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime
import pyarrow as pa
import pytest
from helpers.foreign_graphs import graph, ml_node, node, zipmap_output
from onnx import ModelProto

from sqlml.errors import SqlmlError
from sqlml.importing import Imported, requested
from sqlml.importing.loading import opened
from sqlml.scoring.scorer import Scorer

_W = np.array([[2, -1, 0.5], [-1, 2, 0.1], [0.3, -0.2, 1.5]], np.float32)
_X = np.random.default_rng(3).normal(0.0, 1.5, (60, 3)).astype(np.float32)
_CONSTANTS: dict[str, Any] = {
    "w": _W, "w2": _W[:, :2], "w1": _W[:, :1], "one": np.array([1]), "flat": np.array([-1]),
    "half": np.array([[0.5]], np.float32), "tenth": np.array([[0.1]], np.float32), "perm": np.array([2, 0, 1]),
    "numbers": np.array([20, -7, 10]), "cab": np.array(["c", "a", "b"]), "abc": np.array(["a", "b", "c"]),
    "words": np.array(["yes", "no"]), "yes": np.array(["yes"]), "no": np.array(["no"]),
}  # fmt: skip
_SOFTMAX = [node("MatMul", "x w", "z"), node("Softmax", "z", "p", axis=1)]
_TWO = [node("MatMul", "x w2", "z"), node("Softmax", "z", "p", axis=1)]
_SIGMOID = [node("MatMul", "x w1", "z"), node("Sigmoid", "z", "p")]
_GREATEST = node("ArgMax", "p", "k", axis=1, keepdims=0)
_NAMED = ml_node("LabelEncoder", "k", "label", keys_int64s=[2, 0, 1], values_strings=["c", "a", "b"])
_AS_NUMBER = [node("Cast", "t", "t2", to=7), node("Reshape", "t2 flat", "k")]
_LINEAR = ml_node(
    "LinearClassifier", "x", "k p", coefficients=_W.T.ravel().tolist(), intercepts=[0.0, 0.0, 0.0],
    classlabels_ints=[0, 1, 2], multi_class=1, post_transform="SOFTMAX",
)  # fmt: skip


def _model(nodes: list[Any], label: str = "string", score: str = "p", width: int = 3, scores: bool = True) -> Any:
    """From x [n, 3] to label and a score."""
    used = {name for one in nodes for name in one.input}
    constants = {name: value for name, value in _CONSTANTS.items() if name in used}
    outputs = [("label", label, ["n"]), *([(score, "float", ["n", width])] if scores else [])]
    return graph([("x", "float", ["n", 3])], outputs, nodes, constants)


def _opened(model: ModelProto, **words: Any) -> Imported:
    return opened(model.SerializeToString(), requested(features=["a", "b", "c"], **words), None, ())


# What is right follows from the graph: which label goes with which column of p.
_RIGHT: dict[str, tuple[ModelProto, dict[str, Any], tuple[Any, ...]]] = {
    "keys of a LabelEncoder": (_model([*_SOFTMAX, _GREATEST, _NAMED]), {}, ("a", "b", "c")),
    "the same, as asked": (_model([*_SOFTMAX, _GREATEST, _NAMED]), {"labels": ["a", "b", "c"]}, ("a", "b", "c")),
    "Gather of names": (
        _model([*_SOFTMAX, _GREATEST, node("Gather", "cab k", "label")]), {}, ("c", "a", "b"),
    ),
    "Gather of indices": (
        _model([*_SOFTMAX, _GREATEST, node("Gather", "perm k", "i"), node("Gather", "abc i", "label")]),
        {}, ("c", "a", "b"),
    ),
    "numbers": (_model([*_SOFTMAX, _GREATEST, node("Gather", "perm k", "label")], "int64"), {}, (2, 0, 1)),
    "other numbers": (_model([*_SOFTMAX, _GREATEST, node("Gather", "numbers k", "label")], "int64"), {}, (20, -7, 10)),
    "TopK": (
        _model([*_SOFTMAX, node("TopK", "p one", "v i", axis=1), node("Reshape", "i flat", "k"), _NAMED]),
        {}, ("a", "b", "c"),
    ),
    "ArgMin of two": (
        _model([*_TWO, node("ArgMin", "p", "label", axis=1, keepdims=0)], "int64", width=2), {}, (1, 0),
    ),
    "one column, turned round": (
        _model([*_SIGMOID, node("Less", "p half", "t"), *_AS_NUMBER, node("Gather", "words k", "label")], width=1),
        {}, ("no", "yes"),
    ),
    "one column, a number": (
        _model([*_SIGMOID, node("Less", "p half", "t"), *_AS_NUMBER[:1], node("Reshape", "t2 flat", "label")],
               "int64", width=1),
        {}, (1, 0),
    ),
    "Where": (
        _model([*_SIGMOID, node("Greater", "p half", "t"), node("Reshape", "t flat", "u"),
                node("Where", "u yes no", "label")], width=1),
        {}, ("no", "yes"),
    ),
    "a tuned threshold": (
        _model([*_SIGMOID, node("Greater", "p tenth", "t"), *_AS_NUMBER, node("Gather", "words k", "label")], width=1),
        {}, ("yes", "no"),
    ),
    "a classifier's numbers renamed": (_model([_LINEAR, _NAMED]), {}, ("a", "b", "c")),
    "logits": (
        _model([_SOFTMAX[0], node("ArgMax", "z", "k", axis=1, keepdims=0), _NAMED], score="z"),
        {"activation": "softmax"}, ("a", "b", "c"),
    ),
    "ZipMap": (
        zipmap_output(
            _model([*_SOFTMAX, _GREATEST, node("Gather", "cab k", "label"),
                    ml_node("ZipMap", "p", "q", classlabels_strings=["c", "a", "b"])], score="q"), "q",
        ),
        {}, ("c", "a", "b"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", _RIGHT)
def test_probabilities_stand_under_the_label_that_the_graph_says(name: str) -> None:
    model, words, order = _RIGHT[name]
    found = _opened(model, **words)
    assert found.signature.labels == order
    scorer = Scorer(found.onnx, found.signature)
    columns = [pa.array(column.astype(np.float64)) for column in _X.T]
    session = onnxruntime.InferenceSession(model.SerializeToString())
    label, score = session.run(None, {"x": _X})
    assert scorer.label(columns).to_pylist() == label.tolist()
    assert set(label.tolist()) == set(order)
    if isinstance(score, list):
        score = np.array([[row[one] for one in order] for row in score])
    elif name == "logits":
        score = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    elif score.shape[1] == 1:
        score = np.hstack([1.0 - score, score])
    shown = [dict(pairs) for pairs in scorer.probabilities(columns).to_pylist()]
    assert np.allclose([[row[one] for one in order] for row in shown], score, atol=1e-6)
    if name != "a tuned threshold":
        assert [max(row, key=lambda one: row[one]) for row in shown] == label.tolist()


def test_other_names_stand_in_the_order_of_the_columns() -> None:
    keyed = _model([*_SOFTMAX, _GREATEST, _NAMED])
    found = _opened(keyed, labels=["A", "B", "C"])
    columns = [pa.array(column.astype(np.float64)) for column in _X.T]
    native = onnxruntime.InferenceSession(keyed.SerializeToString()).run(None, {"x": _X})
    assert [said.lower() for said in Scorer(found.onnx, found.signature).label(columns).to_pylist()] == list(native[0])
    # Without probabilities it is the order of the classes' numbers, or the words that the label says.
    alone = _model([*_SOFTMAX, _GREATEST, _NAMED], scores=False)
    for labels, expected in ((["A", "B", "C"], str.upper), (["b", "c", "a"], str)):
        found = _opened(alone, labels=labels)
        said = Scorer(found.onnx, found.signature).label(columns).to_pylist()
        assert said == [expected(one) for one in native[0]] and found.signature.labels == tuple(labels)


_DOUBTS: Mapping[str, tuple[ModelProto, dict[str, Any], str]] = {
    "labels in another order": (
        _model([*_SOFTMAX, _GREATEST, _NAMED]), {"labels": ["c", "a", "b"]}, "is 'a', but labels has 'c' in that"
        " position",
    ),
    "the smallest": (
        _model([*_SOFTMAX, node("ArgMin", "p", "label", axis=1, keepdims=0)], "int64"), {},
        "no order of the labels makes the largest score that of the label",
    ),
    "one column is the greatest one's": (
        _model([*_SOFTMAX, node("TopK", "p one", "v i", axis=1), node("Reshape", "i flat", "label")], "int64",
               score="v", width=1),
        {}, "no order of the labels makes the largest score that of the label",
    ),
    "names of numbers or of columns": (
        _model([*_SOFTMAX, _GREATEST, node("Gather", "perm k", "label")], "int64"), {"labels": ["u", "v", "w"]},
        "labels could be in the order of the classes, with class 0 in that position",
    ),
    "ZipMap and label": (
        zipmap_output(
            _model([*_SOFTMAX, _GREATEST, node("Gather", "abc k", "label"),
                    ml_node("ZipMap", "p", "q", classlabels_strings=["c", "a", "b"])], score="q"), "q",
        ),
        {}, "its ZipMap has 'c' in that position",
    ),
}  # fmt: skip


_ORDERS = ("labels in another order", "names of numbers or of columns", "ZipMap and label")


@pytest.mark.parametrize("name", _DOUBTS)
def test_a_label_that_contradicts_its_scores_is_a_question(name: str) -> None:
    model, words, reason = _DOUBTS[name]
    with pytest.raises(SqlmlError) as caught:
        _opened(model, **words)
    assert caught.value.condition == "SQLML_TARGET_INVALID" and reason in caught.value.message
    assert "labels=[" in caught.value.hint and "outputs=['label']" in caught.value.hint
    # Labels in another order, or the scores alone, are no way out of a graph that chooses the smallest score.
    assert ("in the order of" in caught.value.hint) == (name in _ORDERS), caught.value.hint
    assert _opened(
        model, outputs="label", labels=[*words.get("labels", [0, 1, 2])][:3] if "ZipMap" not in name else None
    )
    if name in ("labels in another order", "ZipMap and label"):
        assert _opened(model, labels=["a", "b", "c"]).signature.labels == ("a", "b", "c")


@pytest.mark.parametrize("odd", [3, -1])
def test_a_label_that_is_none_of_the_classes_is_an_error(odd: int) -> None:
    """It is no other class's: neither the last one's nor one counted from the end."""
    far = [
        node("ReduceMax", "x", "top", axes=[1], keepdims=0), node("Greater", "top limit", "far"),
        node("Where", "far odd k", "label"),
    ]  # fmt: skip
    model = _model([*_SOFTMAX, _GREATEST, *far], "int64")
    for name, value in (("limit", np.float32(9999.0)), ("odd", np.array(odd))):
        model.graph.initializer.append(graph([], [], [], {name: value}).graph.initializer[0])
    found = _opened(model)
    scorer = Scorer(found.onnx, found.signature)
    assert scorer.label([pa.array([0.0, 1.0])] * 3).to_pylist() == [0, 2]
    with pytest.raises(SqlmlError, match="a label that is not among its classes") as caught:
        scorer.label([pa.array([0.0, 1e5])] * 3)
    assert caught.value.condition == "SQLML_ENGINE_FAILED"


def test_a_matrix_of_labels_is_no_label() -> None:
    model = _model([*_SOFTMAX, node("Greater", "p half", "t"), node("Cast", "t", "label", to=7)], "int64")
    with pytest.raises(SqlmlError, match="has 3 labels per row") as caught:
        _opened(model)
    assert caught.value.condition == "SQLML_TARGET_INVALID"
