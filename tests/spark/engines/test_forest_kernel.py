"""The kernel for trees: what `Forest` answers is what ONNX Runtime does, bit for bit where only sums are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest
from helpers.random_forests import MEMBER as _MEMBER
from helpers.random_forests import REALS as _REALS
from helpers.random_forests import WIDTH as _WIDTH
from helpers.random_forests import newer_node as _newer
from helpers.random_forests import older_node as _older
from helpers.random_forests import random_rows as _rows
from helpers.random_forests import random_tree as _tree
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper

from sqlml.compiler.forest_packing import outputs, pack, work
from sqlml.compiler.node import Node, NoRuleError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture
def jvm(spark: SparkSession) -> Any:
    """The JVM of the process: PySpark looks up each error in the JVM of its session, so there can be no second one."""
    return spark._jvm


def _scores(jvm: Any, node: NodeProto, kind: str, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    plain = Node.of(node)
    packed = pack(plain, kind)
    forest = jvm.org.sqlml.expressions.Forest.of(packed)
    assert forest.outputs() == outputs(plain)
    assert forest.inputs() <= rows.shape[1]
    assert forest.steps() == work(packed).together
    found = forest.scoreAll(rows.astype("<f8").tobytes(), rows.shape[1])
    return np.frombuffer(found, "<f8").reshape(len(rows), -1)


def _by_onnxruntime(node: NodeProto, kind: str, rows: NDArray[np.float64]) -> list[NDArray[Any]]:
    """The node's outputs; rows are rounded first where it takes float32."""
    element = TensorProto.FLOAT if kind == "float" else TensorProto.DOUBLE
    newer = node.op_type == "TreeEnsemble"
    found = [helper.make_tensor_value_info(name, element if newer else TensorProto.FLOAT, None) for name in node.output]
    if len(found) == 2:
        found[0] = helper.make_tensor_value_info(node.output[0], TensorProto.INT64, None)
    graph = helper.make_graph([node], "g", [helper.make_tensor_value_info("x", element, [None, rows.shape[1]])], found)
    sets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 5 if newer else 3)]
    return _run(helper.make_model(graph, opset_imports=sets, ir_version=10), rows, kind)


def _run(model: ModelProto, rows: NDArray[np.float64], kind: str) -> list[NDArray[Any]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    with np.errstate(over="ignore"):
        found: list[NDArray[Any]] = session.run(None, {session.get_inputs()[0].name: rows.astype(_REALS[kind])})
    return found


def _same(found: NDArray[np.float64], expected: NDArray[Any]) -> None:
    expected = expected.reshape(len(found), -1).astype(np.float64)
    wrong = np.flatnonzero(~np.all((found == expected) | (np.isnan(found) & np.isnan(expected)), axis=1))
    assert not len(wrong), (len(wrong), found[wrong[0]], expected[wrong[0]])


_SHAPES = [
    *(("full", depth, 3) for depth in (1, 2, 3, 6)),
    *(("ragged", depth, 21) for depth in (4, 8)),
    *(("chain", depth, 10) for depth in (2, 30, 200)),
    ("full", 0, 9),
    ("full", 5, 16),
]


@pytest.mark.parametrize("kind", ["float", "double"])
@pytest.mark.parametrize(("shape", "depth", "count"), _SHAPES)
def test_sums_are_those_of_onnx_runtime(jvm: Any, kind: str, shape: str, depth: int, count: int) -> None:
    for seed, modes in enumerate([(0,), (0, 1, 2, 3), tuple(range(6))]):
        random = np.random.default_rng([depth, count, seed])
        node = _newer(random, kind, [_tree(random, depth, shape) for _ in range(count)], modes)
        rows = _rows(random, node, kind)
        _same(_scores(jvm, node, kind, rows), _by_onnxruntime(node, kind, rows)[0])


@pytest.mark.parametrize("kind", ["float", "double"])
def test_a_set_has_its_members_and_no_other_number(jvm: Any, kind: str) -> None:
    for seed in range(5):
        random = np.random.default_rng(seed)
        node = _newer(random, kind, [_tree(random, 4, "ragged") for _ in range(11)], (0, _MEMBER))
        rows = _rows(random, node, kind)
        # ONNX Runtime 1.32 takes 1.5 for a member of {1}: only whole numbers are compared.
        rows = np.where(rows == np.floor(rows), rows, np.round(np.clip(rows, -20, 20)))
        _same(_scores(jvm, node, kind, rows), _by_onnxruntime(node, kind, rows)[0])


@pytest.mark.parametrize("kind", ["float", "double"])
@pytest.mark.parametrize("aggregate", range(4))
def test_aggregates_and_several_targets(jvm: Any, kind: str, aggregate: int) -> None:
    for targets in (1, 3):
        random = np.random.default_rng([aggregate, targets])
        trees = [_tree(random, 5, "ragged") for _ in range(13)]
        node = _newer(random, kind, trees, tuple(range(6)), n_targets=targets, aggregate_function=aggregate)
        rows = _rows(random, node, kind)
        _same(_scores(jvm, node, kind, rows), _by_onnxruntime(node, kind, rows)[0])


@pytest.mark.parametrize("kind", ["float", "double"])
@pytest.mark.parametrize("transform", ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"])
@pytest.mark.parametrize("targets", [1, 3])
def test_regressors(jvm: Any, kind: str, transform: str, targets: int) -> None:
    for aggregate, base in (("SUM", None), ("AVERAGE", [0.25] * targets), ("MIN", [0.25] * targets)):
        random = np.random.default_rng([targets, len(transform)])
        trees = [_tree(random, depth, "ragged") for depth in (0, 1, 2, 3, 4, 5, 6, 7, 3, 3)]
        names = {"n_targets": targets, "post_transform": transform, "aggregate_function": aggregate}
        names |= {"base_values": base, "ids": "one" if base is None else [*range(targets)]}
        node = _older(random, kind, trees, names)
        rows = _rows(random, node, kind)
        _near(_scores(jvm, node, kind, rows), _by_onnxruntime(node, kind, rows)[0], exact=transform == "NONE")


def _near(found: NDArray[np.float64], expected: NDArray[Any], *, exact: bool) -> None:
    """To the bit, or but for what exponentials and logarithms of float32 differ in."""
    if exact:
        _same(found, expected)
        return
    expected = expected.reshape(len(found), -1).astype(np.float64)
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-7)


_CLASSES: list[dict[str, Any]] = [
    {"classlabels_int64s": [7, 9], "ids": [0]},
    {"classlabels_int64s": [7, 9], "ids": [0], "positive": True},
    {"classlabels_int64s": [7, 9], "ids": [0], "base_values": [0.125]},
    {"classlabels_int64s": [7, 9], "ids": [1]},
    {"classlabels_int64s": [7, 9], "ids": [1], "positive": True},
    {"classlabels_int64s": [0, 1], "ids": [0, 1]},
    {"classlabels_int64s": [0, 1], "ids": [0, 1], "positive": True},
    {"classlabels_int64s": [3, 5, 4], "ids": [0, 1, 2]},
    {"classlabels_int64s": [3, 5, 4], "ids": "turn"},
    {"classlabels_int64s": [3, 5, 4], "ids": "one", "base_values": [0.1, 0.2, 0.3]},
]


@pytest.mark.parametrize("kind", ["float", "double"])
@pytest.mark.parametrize("transform", ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"])
@pytest.mark.parametrize("names", _CLASSES, ids=str)
def test_classifiers(jvm: Any, kind: str, transform: str, names: dict[str, Any]) -> None:
    random = np.random.default_rng(len(str(names)))
    trees = [_tree(random, depth, "ragged") for depth in (2, 3, 4, 5, 6, 3, 3, 3, 2, 1)]
    node = _older(random, kind, trees, {**names, "post_transform": transform})
    rows = _rows(random, node, kind)
    label, scores = _by_onnxruntime(node, kind, rows)
    found = _scores(jvm, node, kind, rows)
    assert np.array(names["classlabels_int64s"])[found[:, -1].astype(int)].tolist() == label.tolist()
    _near(found[:, :-1], scores, exact=transform == "NONE" and kind == "float")


# -- models of the exporters -------------------------------------------------------------------------------------------


def _data(seed: int = 3, rows: int = 600) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Numbers with missing ones, the last column a category; and a target."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, _WIDTH))
    x[:, -1] = random.integers(0, 40, rows)
    y = x[:, 0] * x[:, 1] + np.isin(x[:, -1], (3, 7, 8, 20)) + 0.1 * random.normal(size=rows)
    x[random.random(x.shape) < 0.1] = np.nan
    return x, y


def _lightgbm() -> tuple[Any, int, str]:
    import lightgbm

    from sqlml.export.lightgbm import ensemble

    x, y = _data()
    model = lightgbm.LGBMRegressor(n_estimators=20, min_child_samples=5, verbose=-1, n_jobs=1)
    return ensemble(model.fit(x, y, categorical_feature=[_WIDTH - 1])), 1, "double"


def _lightgbm_classes() -> tuple[Any, int, str]:
    import lightgbm

    from sqlml.export.lightgbm import ensemble

    x, y = _data()
    model = lightgbm.LGBMClassifier(n_estimators=7, verbose=-1, n_jobs=1).fit(x, np.digitize(y, [-0.3, 0.3]))
    return ensemble(model), 3, "double"


def _xgboost() -> tuple[Any, int, str]:
    import xgboost

    from sqlml.export.xgboost import ensemble

    x, y = _data()
    return ensemble(xgboost.XGBRegressor(n_estimators=20, max_depth=6, n_jobs=1).fit(x, y)), 1, "float"


def _forest() -> tuple[Any, int, str]:
    from sklearn.ensemble import RandomForestClassifier

    from sqlml.export.sklearn.trees import ensemble

    x, y = _data()
    model = RandomForestClassifier(n_estimators=20, random_state=1).fit(x, np.digitize(y, [-0.3, 0.3]))
    return ensemble(model), 3, "rounded"


def _histograms() -> tuple[Any, int, str]:
    from sklearn.ensemble import HistGradientBoostingRegressor

    from sqlml.export.sklearn.trees import ensemble

    x, y = _data()
    model = HistGradientBoostingRegressor(max_iter=20, categorical_features=[_WIDTH - 1]).fit(x, y)
    return ensemble(model), 1, "double"


@pytest.mark.parametrize("fit", [_lightgbm, _lightgbm_classes, _xgboost, _forest, _histograms])
def test_models_of_the_exporters(jvm: Any, fit: Any) -> None:
    from sqlml.export.graph import Graph
    from sqlml.export.trees import emit

    found, width, kind = fit()
    graph = Graph()
    emit(graph, "x", found, width, _REALS[kind])
    (node,) = graph._nodes
    rows = _rows(np.random.default_rng(1), node, kind)
    rows[:, -1] = np.where(np.isnan(rows[:, -1]), np.nan, np.random.default_rng(2).integers(-2, 50, len(rows)))
    rows = np.concatenate([rows, _data()[0]])
    given = rows
    if kind == "rounded":
        with np.errstate(over="ignore"):
            given = rows.astype(np.float32).astype(np.float64)
    expected = _by_onnxruntime(node, "double" if kind == "rounded" else kind, given)[0]
    _same(_scores(jvm, node, kind, rows), expected)
    if kind == "rounded":
        _same(_scores(jvm, node, "double", given), expected)


# -- what is not covered, and what travels -----------------------------------------------------------------------------


def _small(**more: Any) -> NodeProto:
    return _newer(np.random.default_rng(0), "float", [[[], []]], (0,), **more)


@pytest.mark.parametrize(
    ("more", "kind", "why"),
    [
        ({}, "int64", "the input type int64"),
        ({}, "double", "float32 numbers for an input of float64"),
        ({"post_transform": 1, "n_targets": 2}, "float", "transformation"),
        ({"post_transform": 4}, "float", "transformation"),
        ({"nodes_featureids": [-1]}, "float", "a column"),
        ({"nodes_truenodeids": [9]}, "float", "a node that does not exist"),
        ({"nodes_trueleafs": [0]}, "float", "too deep"),
        ({"nodes_featureids": [0, 1]}, "float", "do not fit together"),
        ({"n_targets": 0}, "float", "a target that does not exist"),
    ],
)
def test_what_only_onnx_runtime_should_compute_is_refused(more: dict[str, Any], kind: str, why: str) -> None:
    node = _small()
    kept = [one for one in node.attribute if one.name not in more]
    del node.attribute[:]
    node.attribute.extend([*kept, *(helper.make_attribute(*one) for one in more.items())])
    with pytest.raises(NoRuleError, match=why):
        pack(Node.of(node), kind)


def test_no_trees_give_nothing(jvm: Any) -> None:
    empty = helper.make_node(
        "TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", n_targets=2, aggregate_function="SUM"
    )
    assert _scores(jvm, empty, "float", np.zeros((2, 3))).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_equal_bytes_are_one_instance_wherever_they_come_from(jvm: Any) -> None:
    packed = pack(Node.of(_small()), "float")
    forest = jvm.org.sqlml.expressions.Forest.of(packed)
    assert jvm.java.lang.System.identityHashCode(forest) == jvm.java.lang.System.identityHashCode(
        jvm.org.sqlml.expressions.Forest.of(packed)
    )
    out = jvm.java.io.ByteArrayOutputStream()
    jvm.java.io.ObjectOutputStream(out).writeObject(forest)
    again = jvm.java.io.ObjectInputStream(jvm.java.io.ByteArrayInputStream(out.toByteArray())).readObject()
    assert jvm.java.lang.System.identityHashCode(again) == jvm.java.lang.System.identityHashCode(forest)
    other = jvm.org.sqlml.expressions.Forest.of(pack(Node.of(_small(aggregate_function=0)), "float"))
    assert not other.equals(forest)


@pytest.mark.parametrize(
    "packed",
    [b"", b"SQFR", b"SQFR" + bytes(80), b"SQFR\x01" + bytes(30)],
    ids=["empty", "nothing else", "another version", "too short"],
)
def test_other_bytes_are_refused(jvm: Any, packed: bytes) -> None:
    from pyspark.errors import IllegalArgumentException

    with pytest.raises(IllegalArgumentException, match="not a model's trees"):
        jvm.org.sqlml.expressions.Forest.of(packed)
