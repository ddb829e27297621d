"""Foreign graphs of every layout: what SQL is told is what numpy works out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from helpers.foreign_graphs import graph, ml_node, node, zipmap_output

from sqlml.errors import SqlmlError
from sqlml.importing import Imported, requested
from sqlml.importing.loading import opened
from sqlml.scoring.scorer import Scorer

_X = np.array([[1.0, 2.0, 0.1], [-3.5, 0.25, 7.0], [1e6, -1e-3, 0.0], [0.1, 0.2, 0.3]])
_W = np.array([[0.5, -1.0], [0.25, 2.0], [-0.125, 0.1]], np.float32)
_B = np.array([0.1, -0.2], np.float32)
_COLUMNS = [pa.array(column) for column in _X.T]


def _opened(model: Any, example: Any = None, native: Any = (), **words: Any) -> Imported:
    return opened(model.SerializeToString(), requested(**words), example, native)


def _said(found: Imported, *columns: Any) -> list[Any]:
    return Scorer(found.onnx, found.signature).label(columns or _COLUMNS).to_pylist()


def _proba(found: Imported, *columns: Any) -> np.ndarray:
    maps = Scorer(found.onnx, found.signature).probabilities(columns or _COLUMNS).to_pylist()
    return np.array([[value for _, value in pairs] for pairs in maps])


def _refused(model: Any, **words: Any) -> SqlmlError:
    with pytest.raises(SqlmlError) as caught:
        _opened(model, **words)
    return caught.value


def _linear(kind: str = "float", rows: Any = "n", width: Any = 3, outputs: Any = 2, **words: Any) -> Any:
    dtype = {"float": np.float32, "double": np.float64, "float16": np.float16}[kind]
    return graph(
        [("x", kind, [rows, width])],
        [("y", kind, [rows, outputs])],
        [node("MatMul", "x w", "p"), node("Add", "p b", "y")],
        {"w": _W[:, :outputs].astype(dtype), "b": _B[:outputs].astype(dtype)},
        **words,
    )


# -- inputs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["float", "double", "float16"])
def test_a_matrix_of_floats(kind: str) -> None:
    dtype = {"float": np.float32, "double": np.float64, "float16": np.float16}[kind]
    found = _opened(_linear(kind, outputs=1), features=["a", "b", "c"], target="y")
    rows = _X[[0, 1, 3]]
    x = rows.astype(np.float32).astype(dtype) if kind == "float16" else rows.astype(dtype)
    expected = (x @ _W[:, :1].astype(dtype) + _B[:1].astype(dtype)).ravel()
    said = _said(found, *[pa.array(column) for column in rows.T])
    assert np.allclose(said, expected, rtol={"float16": 2e-3, "float": 1e-6, "double": 1e-15}[kind])
    assert found.signature.names == ("a", "b", "c") and found.signature.target == "y"
    assert {feature.type for feature in found.signature.features} == {"double" if kind == "double" else "float"}
    assert found.library == "hand 1"


@pytest.mark.parametrize(("kind", "bits"), [("int64", 64), ("int32", 32), ("int8", 8)])
def test_whole_numbers_never_pass_through_a_float(kind: str, bits: int) -> None:
    model = graph([("a", kind, ["n", 1])], [("y", "int64", ["n", 1])], [node("Cast", "a", "y", to=7)])
    found = _opened(model, task="regression")
    largest = 2 ** (bits - 1) - 1
    column = pa.array([largest, -largest - 1, None, 5])
    said = Scorer(found.onnx, found.signature)
    inputs, places = said._inputs([column])
    assert inputs["a"].dtype == np.int64 and inputs["a"].ravel().tolist() == [largest, -largest - 1, 5]
    assert places.to_pylist() == [0, 1, None, 2]
    assert said.label([column]).to_pylist() == [float(largest), float(-largest - 1), None, 5.0]
    assert _said(found, pa.array([1.0, -1.0, float("nan"), float("inf"), 1e300])) == [1.0, -1.0, None, None, None]
    for fraction in (pa.array([1.0, 3.7]), pa.array([Decimal("3.7")])):
        with pytest.raises(SqlmlError, match=r"a takes integers, and 3\.7 is not an integer") as caught:
            _said(found, fraction)
        assert caught.value.condition == "SQLML_TYPE_MISMATCH"
    assert _said(found, pa.array([True, False, None])) == [1.0, 0.0, None]
    if bits < 64:
        assert _said(found, pa.array([largest + 1, 1])) == [None, 1.0]


def test_a_bigint_difference_that_doubles_cannot_see() -> None:
    model = graph([("a", "int64", ["n"]), ("b", "int64", ["n"])], [("y", "int64", ["n"])], [node("Sub", "a b", "y")])
    found = _opened(model, task="regression")
    large = 2**60
    assert _said(found, pa.array([large + 1]), pa.array([large])) == [1.0]
    assert _said(found, pa.array([pa.scalar(large + 1).cast(pa.decimal128(38, 0))]), pa.array([large])) == [1.0]


def test_one_input_a_column_by_name_and_a_matrix_by_order() -> None:
    model = graph(
        [("numbers", "float", ["n", 2]), ("plan", "string", ["n", 1]), ("loyal", "bool", ["n"])],
        [("y", "float", ["n", 1])],
        [
            ml_node("LabelEncoder", "plan", "code", keys_strings=["gold"], values_floats=[100.0], default_float=0.0),
            node("ReduceSum", "numbers one", "sum", keepdims=1),
            node("Cast", "loyal", "bonus", to=1),
            node("Unsqueeze", "bonus one", "column"),
            node("Add", "sum code", "some"),
            node("Add", "some column", "y"),
        ],
        {"one": np.array([1])},
    )
    found = _opened(model, features=["plan", "age", "income", "loyal"], target="y")
    assert [(one.name, one.type) for one in found.signature.features] == [
        ("plan", "string"),
        ("age", "float"),
        ("income", "float"),
        ("loyal", "boolean"),
    ]
    plans, ages = pa.array(["gold", "tin", None, "gold"]), pa.array([1.0, 2.0, 3.0, None])
    incomes, loyal = pa.array([10, 20, 30, 40]), pa.array([True, False, True, True])
    assert _said(found, plans, ages, incomes, loyal) == [112.0, 22.0, None, None]
    by_input = _opened(
        model,
        features={"plan": "p", "numbers": ["i", "a"], "loyal": "l"},
        signature="a double, i int, p string, l boolean",
    )
    assert by_input.signature.names == ("a", "i", "p", "l")
    assert _said(by_input, ages, incomes, plans, loyal) == [112.0, 22.0, None, None]
    error = _refused(model, features=["age", "income"])
    assert error.condition == "SQLML_BINDING_MISMATCH"
    assert "numbers (float [rows, 2]), plan (string [rows, 1]), loyal (bool [rows])" in error.message


def test_names_come_from_the_inputs_where_each_is_one_column() -> None:
    model = graph(
        [("a", "double", ["n", 1]), ("b", "double", ["n", 1])], [("y", "double", ["n", 1])], [node("Sub", "a b", "y")]
    )
    found = _opened(model)
    assert found.signature.names == ("a", "b") and _said(found, pa.array([5.5]), pa.array([2])) == [3.5]


def test_an_unnamed_matrix_asks_for_names() -> None:
    error = _refused(_linear())
    assert error.condition == "SQLML_BINDING_MISMATCH"
    assert error.message == "The graph does not name the 3 columns of its input x (float [rows, 3])."
    assert "features=['…', …]" in error.hint


def test_a_matrix_of_any_width_takes_what_is_given() -> None:
    model = graph(
        [("x", "double", ["n", "k"])],
        [("y", "double", ["n", 1])],
        [node("ReduceSum", "x one", "y")],
        {"one": np.array([1])},
    )
    found = _opened(model, features=["a", "b", "c"])
    assert np.allclose(_said(found), _X.sum(axis=1), rtol=1e-15)


def test_a_feature_may_be_called_as_an_output_or_a_node() -> None:
    for names in (["label", "prediction", "scores"], ["probabilities", "x", "model/w"]):
        found = _opened(_linear("double", outputs=1), features=names)
        assert np.allclose(_said(found), (_X @ _W[:, :1].astype(float) + float(_B[0])).ravel(), rtol=1e-12)


@pytest.mark.parametrize("rows", [1, 3])
def test_a_fixed_batch_is_scored_piece_by_piece(rows: int) -> None:
    model = graph(
        [("x", "float", [rows, 3])],
        [("y", "float", [rows])],
        [node("ReduceSum", "x one", "s", keepdims=0), node("Reshape", "s shape", "y")],
        {"one": np.array([1]), "shape": np.array([rows])},
    )
    found = _opened(model, features=["a", "b", "c"])
    expected = _X.astype(np.float32).sum(axis=1)
    assert np.allclose(_said(found), expected, rtol=1e-6)
    assert _said(found, *[column[:0] for column in _COLUMNS]) == []
    assert np.allclose(_said(found, *[column[2:3] for column in _COLUMNS]), expected[2:3], rtol=1e-6)


# -- missing values ----------------------------------------------------------------------------------------------------

_HOLES = [pa.array([1.0, None, float("nan"), float("inf"), 2.0])] * 3


def test_a_missing_number_gives_null() -> None:
    found = _opened(_linear("double"), features=["a", "b", "c"], labels=["no", "yes"], activation="softmax")
    assert [said is None for said in _said(found, *_HOLES)] == [False, True, True, True, False]
    maps = Scorer(found.onnx, found.signature).probabilities(_HOLES).to_pylist()
    assert [pairs is None for pairs in maps] == [False, True, True, True, False]
    assert _said(found, *[pa.array([None, None])] * 3) == [None, None]


def test_a_model_that_takes_missing_numbers_gets_them() -> None:
    model = graph(
        [("a", "float", ["n", 1]), ("k", "int64", ["n", 1])],
        [("y", "float", ["n", 1])],
        [
            node("IsNaN", "a", "gone"),
            node("Where", "gone minus a", "filled"),
            node("Cast", "k", "f", to=1),
            node("Add", "filled f", "y"),
        ],
        {"minus": np.array([[-1.0]], np.float32)},
    )
    found = _opened(model, missing="nan")
    assert [feature.required for feature in found.signature.features] == [False, True]
    numbers, counts = pa.array([None, float("nan"), float("inf"), 2.5, 1.0]), pa.array([0, 0, 0, 0, None])
    assert _said(found, numbers, counts) == [-1.0, -1.0, float("inf"), 2.5, None]


# -- outputs -----------------------------------------------------------------------------------------------------------


def test_several_numbers_are_a_struct() -> None:
    found = _opened(_linear("double"), features=["a", "b", "c"], target=["low", "high"], task="regression")
    expected = _X @ _W.astype(float) + _B.astype(float)
    said = _said(found)
    assert np.allclose([[row["low"], row["high"]] for row in said], expected, rtol=1e-12)
    assert _said(found, *[pa.array([None])] * 3) == [None]
    assert (
        _refused(_linear(), features=["a", "b", "c"], target="y", task="regression").condition == "SQLML_TARGET_INVALID"
    )


def test_logits() -> None:
    logits = _X.astype(np.float32).astype(np.float64) @ _W.astype(float) + _B.astype(float)
    softmax = np.exp(logits - logits.max(1, keepdims=True))
    softmax /= softmax.sum(1, keepdims=True)
    words: dict[str, Any] = {"features": ["a", "b", "c"], "labels": ["no", "yes"]}
    found = _opened(_linear(), activation="softmax", **words)
    assert np.allclose(_proba(found), softmax, atol=1e-6)
    assert _said(found) == [["no", "yes"][place] for place in logits.argmax(1)]
    each = _opened(_linear(), activation="sigmoid", **words)
    with np.errstate(over="ignore"):
        assert np.allclose(_proba(each), 1 / (1 + np.exp(-logits)), atol=1e-6)
    scores = _opened(_linear(), activation="none", **words)
    assert not scores.signature.probabilities and _said(scores) == _said(found)
    error = _refused(_linear(), **words)
    assert "does not contain probabilities" in error.message and "activation='softmax'" in error.hint
    assert "2 numbers per row" in _refused(_linear(), features=["a", "b", "c"]).message


def test_one_number_for_the_second_label() -> None:
    logit = (_X.astype(np.float32) @ _W[:, :1] + _B[:1]).ravel().astype(float)
    words: dict[str, Any] = {"features": ["a", "b", "c"], "labels": [False, True], "target": "churned"}
    found = _opened(_linear(outputs=1), activation="sigmoid", **words)
    assert found.signature.target_type == "boolean" and _said(found) == (logit > 0).tolist()
    with np.errstate(over="ignore"):
        assert np.allclose(_proba(found)[:, 1], 1 / (1 + np.exp(-logit)), atol=1e-7)
    done = _linear(outputs=1)
    done.graph.node.append(node("Sigmoid", "y", "chance"))
    done.graph.output[0].name = "chance"
    assert np.allclose(_proba(_opened(done, **words)), _proba(found), atol=1e-7)
    flat = graph(
        [("x", "float", ["n", 3])],
        [("p", "float", ["n"])],
        [node("Gather", "x zero", "v", axis=1), node("Sigmoid", "v", "p")],
        {"zero": np.array(0)},
    )
    assert _said(_opened(flat, **words)) == (_X[:, 0] > 0).tolist()
    # Exactly in the middle is not yes, as `p > 0.5` says in the network's own library.
    middle = [pa.array([0.0])] * 3
    assert _said(_opened(flat, **words), *middle) == [False]


def _classifier(key: str, classes: list[Any], *, zipped: bool) -> Any:
    """As skl2onnx writes a linear classifier."""
    attribute = "classlabels_strings" if key == "string" else "classlabels_ints"
    nodes = [
        ml_node(
            "LinearClassifier", "x", "label raw",
            coefficients=_W.T.ravel().tolist(), intercepts=_B.tolist(), multi_class=1, post_transform="SOFTMAX",
            **{attribute: classes},
        )
    ]  # fmt: skip
    if not zipped:
        nodes[0].output[1] = "probabilities"
    model = graph([("x", "float", ["n", 3])], [("label", key, ["n"]), ("probabilities", "float", ["n", 2])], nodes)
    if zipped:
        zipped_classes = {f"classlabels_{key}s": classes}
        model.graph.node.append(ml_node("ZipMap", "raw", "probabilities", **zipped_classes))
        zipmap_output(model, "probabilities", key)
    return model


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(("key", "classes"), [("string", ["no", "yes"]), ("int64", [3, 7])])
def test_a_label_with_probabilities(key: str, classes: list[Any], zipped: bool) -> None:
    found = _opened(_classifier(key, classes, zipped=zipped), features=["a", "b", "c"], target="y")
    logits = _X.astype(np.float32).astype(float) @ _W.astype(float) + _B.astype(float)
    softmax = np.exp(logits - logits.max(1, keepdims=True))
    softmax /= softmax.sum(1, keepdims=True)
    assert found.signature.labels == tuple(classes)
    assert found.signature.target_type == ("string" if key == "string" else "bigint")
    assert _said(found) == [classes[place] for place in logits.argmax(1)]
    assert np.allclose(_proba(found), softmax, atol=1e-6)
    renamed = _opened(_classifier(key, classes, zipped=zipped), features=["a", "b", "c"], labels=["bad", "good"])
    assert _said(renamed) == [["bad", "good"][place] for place in logits.argmax(1)]


def test_a_label_alone() -> None:
    model = _classifier("int64", [3, 7], zipped=False)
    del model.graph.output[1]
    found = _opened(model, features=["a", "b", "c"])
    assert found.signature.labels == (3, 7) and not found.signature.probabilities and set(_said(found)) <= {3, 7}
    index = graph([("x", "float", ["n", 3])], [("y", "int64", ["n"])], [node("ArgMax", "x", "y", axis=1, keepdims=0)])
    named = _opened(index, features=["a", "b", "c"], labels=["a", "b", "c"])
    assert _said(named) == ["b", "c", "a", "c"]
    error = _refused(index, features=["a", "b", "c"])
    assert error.condition == "SQLML_TARGET_INVALID" and "one integer per row" in error.message
    assert "not one of 0, 1" in _refused(index, features=["a", "b", "c"], labels=["a", "b"]).message


def test_several_outputs_ask_which() -> None:
    model = graph(
        [("x", "double", ["n", 3])],
        [("first", "double", ["n", 1]), ("second", "double", ["n", 1])],
        [node("ReduceSum", "x one", "first"), node("ReduceMax", "x", "second", axes=[1])],
        {"one": np.array([1])},
    )
    error = _refused(model, features=["a", "b", "c"])
    assert "first, second" in error.message and "outputs=" in error.hint
    found = _opened(model, features=["a", "b", "c"], outputs="second")
    assert _said(found) == _X.max(axis=1).tolist()
    assert b"ReduceSum" not in found.onnx
    assert _refused(model, features=["a", "b", "c"], outputs="secnd").hint == "Did you mean second?"


# -- what does not fit -------------------------------------------------------------------------------------------------


def test_refusals_name_the_thing() -> None:
    image = graph([("x", "float", ["n", 3, 3])], [("y", "float", ["n", 3, 3])], [node("Relu", "x", "y")])
    constant = graph([("x", "float", ["n"])], [("w", "float", [1])], [node("Relu", "x", "y")], {"w": np.ones(1)})
    assert "its output w is a constant" in _refused(constant).message
    assert "its input x has 3 dimensions" in _refused(image, features=["a"]).message
    summed = graph(
        [("x", "float", ["n", 3])],
        [("y", "float", [1, 3])],
        [node("ReduceSum", "x zero", "y")],
        {"zero": np.array([0])},
    )
    assert "it returned 1 results for 16 rows" in _refused(summed, features=["a", "b", "c"], task="regression").message
    mixed = graph([("x", "float", ["n", 3])], [("y", "float", ["n", 3])], [node("Softmax", "x", "y", axis=0)])
    assert (
        "depends on the other rows"
        in _refused(mixed, features=["a", "b", "c"], task="regression", target=["p", "q", "r"]).message
    )
    for type_, wanted in (("bigint", "INT"), ("double", "INT"), ("string", "INT"), ("date", "INT")):
        whole = graph([("a", "int32", ["n", 1])], [("y", "int32", ["n", 1])], [node("Neg", "a", "y")])
        error = _refused(whole, signature=f"a {type_}", task="regression")
        assert error.condition == "SQLML_FEATURE_UNUSABLE" and f"takes {wanted}." in error.message
    assert _refused(_linear(), features=["a", "A", "c"]).condition == "SQLML_AMBIGUOUS_FEATURE"
    labels = _refused(_linear(), features=["a", "b", "c"], labels=["one"], activation="softmax")
    assert labels.message == "The model has 2 classes, but labels has 1."
    lookup = graph(
        [("k", "int64", ["n"])],
        [("y", "float", ["n"])],
        [node("Gather", "table k", "y")],
        {"table": np.array([4.0, 5.0], np.float32)},
    )
    found = _opened(lookup)
    assert _said(found, pa.array([1, 0, None])) == [5.0, 4.0, None]
    with pytest.raises(SqlmlError, match="An index is outside of an embedding table") as caught:
        _said(found, pa.array([2]))
    assert caught.value.condition == "SQLML_ENGINE_FAILED"


def test_native_predictions_are_compared() -> None:
    example = pa.table(dict(zip("abc", _COLUMNS, strict=True)))
    words: dict[str, Any] = {"features": ["a", "b", "c"], "labels": ["no", "yes"], "activation": "softmax"}
    native = (_X.astype(np.float32) @ _W + _B).astype(np.float32)
    found = _opened(_linear(), example, [native], **words)
    assert found.fidelity.rows == 4 and found.fidelity.max_abs_diff < 1e-6 and found.fidelity.label_mismatches == 0
    native[3, 0] += 0.01
    with pytest.raises(SqlmlError, match=r"a = 0\.1, b = 0\.2, c = 0\.3") as caught:
        _opened(_linear(), example, [native], **words)
    assert caught.value.condition == "SQLML_FIDELITY"
    assert _opened(_linear(), example, [native], **words, tolerance=0.01).fidelity.max_abs_diff > 1e-3


@pytest.mark.parametrize("opset", [7, 8, 9, 11, 12, 13, 17, 21, 23, 25])
def test_old_and_new_operator_sets(opset: int) -> None:
    found = _opened(_linear(opset=opset, ml=None), features=["a", "b", "c"], labels=["no", "yes"], activation="softmax")
    assert np.allclose(_proba(found).sum(axis=1), 1.0)
