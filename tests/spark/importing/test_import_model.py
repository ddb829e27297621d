"""IMPORT MODEL through SQL: graphs of every layout answer what numpy does, and MLflow's models come in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from helpers.foreign_graphs import graph, ml_node, node, zipmap_output
from helpers.refused import refused as _refused
from onnx import ModelProto
from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, which is one of the allowed folders."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module", autouse=True)
def nothing_left(spark: SparkSession) -> Iterator[None]:
    yield
    for row in spark.sql("SHOW MODELS LIKE 'in.*'").collect():
        spark.sql(f"DROP MODEL {row.model}").collect()


def _imported(spark: SparkSession, name: str, model: ModelProto, options: str = "") -> Any:
    Path("model.onnx").write_bytes(model.SerializeToString())
    (row,) = spark.sql(f"IMPORT MODEL in.{name} FROM 'model.onnx' {options}").collect()
    return row


# -- layouts -----------------------------------------------------------------------------------------------------------


def test_inputs_of_every_kind(spark: SparkSession) -> None:
    """One input a column, of seven types, and a tensor of two columns; a bigint never passes through a float."""
    kinds = ("float", "double", "float16", "int64", "int32", "bool")
    casts = [node("Cast", kind, f"{kind}_d", to=onnx.TensorProto.DOUBLE) for kind in kinds if kind != "double"]
    model = graph(
        [*((kind, kind, ["n", 1]) for kind in kinds), ("pair", "double", ["n", 2]), ("plan", "string", ["n", 1])],
        [("y", "double", ["n", 1]), ("exact", "int64", ["n", 1])],
        [
            *casts,
            ml_node(
                "LabelEncoder", "plan", "code", keys_strings=["a", "é"], values_floats=[100.0, 200.0], default_float=0.5
            ),
            node("Cast", "code", "code_d", to=onnx.TensorProto.DOUBLE),
            node("ReduceSum", "pair axes", "pair_d"),
            node(
                "Sum", " ".join([*(kind if kind == "double" else f"{kind}_d" for kind in kinds), "code_d pair_d"]), "y"
            ),
            node("Identity", "int64", "exact"),
        ],
        {"axes": np.array([1])},
    )
    features = "{" + ", ".join(f"'{kind}': '{kind}'" for kind in kinds) + ", 'pair': ['p', 'q'], 'plan': 'plan'}"
    row = _imported(spark, "kinds", model, f"OPTIONS (features = {features}, outputs = ['y'], target = 'total')")
    assert row.features == [
        "float float", "double double", "float16 float", "int64 bigint", "int32 int", "bool boolean", "p double",
        "q double", "plan string",
    ]  # fmt: skip
    assert (row.task, row.target, row.prediction, row.labels, row.library) == (
        "regression", "total", "double", [], "hand 1",
    )  # fmt: skip
    columns = "`float`, `double`, float16, int64, int32, bool, p, q, plan"
    values = "(0.5, 0.25, 1.5, 7, -3, true, 10, 20, 'é'), (0.5, 0.25, 1.5, 7, -3, false, 10, 20, 'unseen'),"
    values += "(NULL, 0, 0, 0, 0, true, 0, 0, 'a'), (0, 0, 0, 0, 0, NULL, 0, 0, 'a'), (0, 0, 0, 0, 0, true, 0, 0, NULL)"
    said = spark.sql(f"SELECT PREDICT(in.kinds, *) AS y FROM VALUES {values} AS t({columns})").collect()
    assert [one.y for one in said] == [237.25, 36.75, None, None, None]
    _imported(spark, "kinds", model, f"OPTIONS (features = {features}, outputs = ['exact'], task = 'regression')")
    (one,) = spark.sql(
        f"SELECT PREDICT(in.kinds, *) AS y FROM VALUES (0, 0, 0, {2**53 - 1}L, 0, true, 0, 0, 'a') AS t({columns})"
    ).collect()
    assert one.y == 2.0**53 - 1


def _classifier(zipmap: bool, key: str = "string") -> ModelProto:
    labels = {"string": {"classlabels_strings": ["no", "yes"]}, "int64": {"classlabels_ints": [0, 7]}}[key]
    mapped = {"string": {"classlabels_strings": ["no", "yes"]}, "int64": {"classlabels_int64s": [0, 7]}}[key]
    nodes = [
        ml_node("LinearClassifier", "x", "label p", coefficients=[-1.0, 0.5, 1.0, -0.5], intercepts=[0.25, -0.25],
                post_transform="SOFTMAX", **labels),
        *([ml_node("ZipMap", "p", "probabilities", **mapped)] if zipmap else [node("Identity", "p", "probabilities")]),
    ]  # fmt: skip
    outputs = [("label", key, ["n"]), ("probabilities", "float", ["n", 2])]
    model = graph([("x", "float", ["n", 2])], outputs, nodes)
    return zipmap_output(model, "probabilities", key) if zipmap else model


@pytest.mark.parametrize("key", ["string", "int64"])
def test_labels_and_sequences_of_maps(spark: SparkSession, key: str) -> None:
    row = _imported(spark, "classes", _classifier(True, key), "OPTIONS (features = [a, b], target = who)")
    assert row.labels == (["no", "yes"] if key == "string" else ["0", "7"])
    assert (row.prediction, row.task) == ("string" if key == "string" else "bigint", "classification")
    values = [(2.0, 1.0), (-3.0, 0.5), (0.0, 0.0)]
    listed = ", ".join(f"({a}, {b})" for a, b in values)
    label = "'yes'" if key == "string" else "7L"
    said = spark.sql(
        f"SELECT PREDICT(in.classes, *) AS y, PREDICT_PROBA(in.classes, *)[{label}] AS p"
        f" FROM VALUES {listed} AS t(a, b)"
    ).collect()
    raw = np.array(values) @ np.array([[-1.0, 1.0], [0.5, -0.5]]) + [0.25, -0.25]
    chances = (np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True))[:, 1]
    assert np.allclose([one.p for one in said], chances, atol=1e-6)
    names = ["no", "yes"] if key == "string" else [0, 7]
    assert [one.y for one in said] == [names[int(chance > 0.5)] for chance in chances]
    # Other names for the same classes, booleans among them.
    _imported(spark, "classes", _classifier(False, key), "OPTIONS (features = ['a', 'b'], labels = [false, true])")
    (one,) = spark.sql("SELECT PREDICT(in.classes, 2, 1) AS y, PREDICT_PROBA(in.classes, 2, 1) AS p").collect()
    assert one.y is True and one.p[True] == pytest.approx(chances[0], abs=1e-6)


def _keyed() -> ModelProto:
    """Three classes whose LabelEncoder lists them in another order than that of the probabilities."""
    return graph(
        [("x", "float", ["n", 3])], [("label", "string", ["n"]), ("p", "float", ["n", 3])],
        [
            node("MatMul", "x w", "z"), node("Softmax", "z", "p", axis=1), node("ArgMax", "p", "k", axis=1, keepdims=0),
            ml_node("LabelEncoder", "k", "label", keys_int64s=[2, 0, 1], values_strings=["c", "a", "b"]),
        ],
        {"w": np.array([[2, -1, 0.5], [-1, 2, 0.1], [0.3, -0.2, 1.5]], np.float32)},
    )  # fmt: skip


def _turned_round() -> ModelProto:
    """The probability of yes, and a label by a comparison the other way round."""
    return graph(
        [("x", "float", ["n", 2])], [("label", "string", ["n"]), ("p", "float", ["n", 1])],
        [
            node("MatMul", "x w", "z"), node("Sigmoid", "z", "p"), node("Less", "p half", "low"),
            node("Cast", "low", "number", to=7), node("Reshape", "number flat", "k"),
            node("Gather", "words k", "label"),
        ],
        {
            "w": np.ones((2, 1), np.float32), "half": np.array([[0.5]], np.float32), "flat": np.array([-1]),
            "words": np.array(["yes", "no"]),
        },
    )  # fmt: skip


def test_probabilities_of_labels_in_another_order(spark: SparkSession) -> None:
    """By every way to ask for them, by both engines."""
    session = spark.newSession()
    _imported(session, "keyed", _keyed(), "OPTIONS (features = ['f1', 'f2', 'f3'], target = 'k')")
    row = _imported(session, "turned", _turned_round(), "OPTIONS (features = ['f1', 'f2'], target = 'k')")
    assert row.labels == ["no", "yes"]
    right = {"a": 0.9949, "b": 0.0, "c": 0.0051}
    for engine in ("compiled", "onnxruntime"):
        session.sql(f"SET spark.sqlml.engine = {engine}")
        (one,) = session.sql(
            "SELECT PREDICT(in.keyed, *) AS l, PREDICT_PROBA(in.keyed, *) AS p FROM VALUES (2f, -2.5f, 0.4f)"
            " AS v (f1, f2, f3)"
        ).collect()
        assert one.l == "a" and one.p == pytest.approx(right, abs=1e-4), engine
        (one,) = session.sql(
            "SELECT p.* FROM PREDICT(MODEL = in.keyed, DATA = (SELECT 2f AS f1, -2.5f AS f2, 0.4f AS f3) AS d) WITH"
            " (k STRING, score FLOAT, probability_a FLOAT, probability_b FLOAT, probability_c FLOAT) AS p"
        ).collect()
        assert one.k == "a" and one.score == one.probability_a == pytest.approx(0.9949, abs=1e-4), engine
        assert [one.probability_b, one.probability_c] == pytest.approx([0.0, 0.0051], abs=1e-4), engine
        (one,) = session.sql("SELECT PREDICT(in.turned, 3, 2) AS l, PREDICT_PROBA(in.turned, 3, 2) AS p").collect()
        assert one.l == "yes" and one.p == pytest.approx({"no": 0.0067, "yes": 0.9933}, abs=1e-4), engine
        for threshold, label in ((0.9, "yes"), (0.999, "no")):
            (one,) = session.sql(
                "SELECT predicted_k, predicted_k_probs FROM ML.PREDICT(MODEL in.turned, (SELECT 3f AS f1, 2f AS f2),"
                f" STRUCT({threshold} AS threshold))"
            ).collect()
            assert one.predicted_k == label, engine
            probs = {pair.label: pair.prob for pair in one.predicted_k_probs}
            assert probs == pytest.approx({"no": 0.0067, "yes": 0.9933}, abs=1e-4), engine


def test_an_index_beyond_an_embedding_and_a_number_that_is_not_whole(spark: SparkSession) -> None:
    session = spark.newSession()
    lookup = graph(
        [("k", "int64", ["n"])], [("y", "float", ["n", 1])], [node("Gather", "w k", "y")],
        {"w": np.array([[1.0], [2.0], [3.0]], np.float32)},
    )  # fmt: skip
    _imported(session, "lookup", lookup)
    for engine in ("compiled", "onnxruntime"):
        session.sql(f"SET spark.sqlml.engine = {engine}")
        text = _refused(session, "SELECT PREDICT(in.lookup, id) FROM range(9)")
        assert "[SQLML_ENGINE_FAILED] Model in.lookup/1's graph fails on these rows: Gather: indices element" in text
        assert (
            "An index is outside of an embedding table" in text and "Traceback" not in text and "udf.py" not in text
        ), text
        for given in ("3.7", "1.0D", "CAST(1 AS DECIMAL(3, 1))", "1f"):
            text = _refused(session, f"SELECT PREDICT(in.lookup, {given})")
            assert "[SQLML_TYPE_MISMATCH] Feature k of model in.lookup is BIGINT" in text and "CAST(" in text, text
        (one,) = session.sql(
            "SELECT PREDICT(in.lookup, CAST(1.7 AS BIGINT)) AS a, PREDICT(in.lookup, CAST(1 AS DECIMAL(20, 0))) AS b,"
            " PREDICT(in.lookup, NULL) AS c, PREDICT(in.lookup, true) AS d"
        ).collect()
        assert (one.a, one.b, one.c, one.d) == (2.0, 2.0, None, 2.0), engine


@pytest.mark.parametrize("opset", [7, 8])
def test_old_operators_by_both_engines(spark: SparkSession, opset: int) -> None:
    """Softmax and Flatten are not yet what they are today, Squeeze has attributes, and comparisons are of floats."""
    session = spark.newSession()
    old = graph(
        [("x", "float", ["n", 3])], [("p", "float", ["n", 3]), ("label", "int64", ["n"])],
        [
            node("Gemm", "x w b", "z", transB=1), node("BatchNormalization", "z g h m v", "n"),
            node("Softmax", "n", "p"), node("ArgMax", "p", "k", axis=1, keepdims=1),
            node("Squeeze", "k", "label", axes=[1]),
        ],
        {
            "w": np.arange(9, dtype=np.float32).reshape(3, 3) / 7, "b": np.array([0.1, -0.2, 0.3], np.float32),
            **{name: np.array(values, np.float32) for name, values in (
                ("g", [1, 2, 1]), ("h", [0, 0.5, -1]), ("m", [0.1, 0.2, 0.3]), ("v", [1, 1, 4]),
            )},
        },
        opset=opset,
    )  # fmt: skip
    _imported(session, f"old{opset}", old, "OPTIONS (features = ['a', 'b', 'c'], target = 'k')")
    x = np.array([[1, -2, 0.5], [0, 0, 0], [-3, 2, 1]], np.float32)
    p, label = onnxruntime.InferenceSession(old.SerializeToString()).run(None, {"x": x})
    values = ", ".join(f"({a}f, {b}f, {c}f)" for a, b, c in x.tolist())
    for engine in ("compiled", "onnxruntime"):
        session.sql(f"SET spark.sqlml.engine = {engine}")
        said = session.sql(
            f"SELECT PREDICT(in.old{opset}, *) AS l, PREDICT_PROBA(in.old{opset}, *) AS p"
            f" FROM VALUES {values} AS v (a, b, c)"
        ).collect()
        assert [one.l for one in said] == label.tolist(), engine
        assert np.allclose([[one.p[at] for at in range(3)] for one in said], p, atol=1e-6), engine


def test_several_numbers_and_several_outputs(spark: SparkSession) -> None:
    model = graph(
        [("x", "double", ["n", 2])],
        [("both", "double", ["n", 2]), ("other", "double", ["n", 1])],
        [node("MatMul", "x w", "both"), node("ReduceSum", "x axes", "other")],
        {"w": np.array([[1.0, 2.0], [3.0, 4.0]]), "axes": np.array([1])},
    )
    Path("model.onnx").write_bytes(model.SerializeToString())
    text = _refused(spark, "IMPORT MODEL in.numbers FROM 'model.onnx' OPTIONS (features = ['a', 'b'])")
    assert "[SQLML_TARGET_INVALID] The model has several outputs that could be its prediction: both, other." in text
    row = _imported(
        spark, "numbers", model, "OPTIONS (features = ['a', 'b'], outputs = ['both'], target = ['x', 'the y'])"
    )
    assert (row.target, row.prediction) == ("x, the y", "struct<x:double,the y:double>")
    (one,) = spark.sql("SELECT PREDICT(in.numbers, 1, 10) AS y, PREDICT(in.numbers, 1, NULL) AS n").collect()
    assert (one.y.x, one.y["the y"], one.n) == (31.0, 42.0, None)


def test_missing_numbers_and_an_example(spark: SparkSession) -> None:
    model = graph(
        [("x", "float", ["n", 1])], [("y", "float", ["n", 1])],
        [node("IsNaN", "x", "gone"), node("Where", "gone seven x", "y")], {"seven": np.array([7.0], np.float32)},
    )  # fmt: skip
    _imported(spark, "gaps", model, "OPTIONS (missing = nan)")
    (one,) = spark.sql("SELECT PREDICT(in.gaps, NULL) AS a, PREDICT(in.gaps, 2) AS b").collect()
    assert (one.a, one.b) == (7.0, 2.0)
    table = graph(
        [("place", "int64", ["n"])], [("y", "float", ["n", 1])], [node("Gather", "w place", "y")],
        {"w": np.arange(1_000_005, dtype=np.float32).reshape(-1, 1)[1_000_000:]},
    )  # fmt: skip
    spark.sql("CREATE OR REPLACE TEMPORARY VIEW `some places` AS SELECT id AS place FROM range(5)")
    _imported(spark, "embedding", table, "OPTIONS (example = '`some places`')")
    (one,) = spark.sql("SELECT PREDICT(in.embedding, 4) AS y").collect()
    assert one.y == 1_000_004.0
    for options, condition in (
        ("example = 'nothing'", "TABLE_OR_VIEW_NOT_FOUND"),
        ("example = 'a; DROP'", "SQLML_OPTION_INVALID"),
        ("example = 7", "SQLML_OPTION_INVALID"),
        ("labels = 'no'", "SQLML_OPTION_INVALID"),
        ("labels = [hparam_range(1, 2)]", "SQLML_OPTION_INVALID"),
        ("missing = 'zero'", "SQLML_OPTION_INVALID"),
        ("tolerance = -1", "SQLML_OPTION_INVALID"),
        ("signature = 'place map<int,int>'", "SQLML_OPTION_INVALID"),
        ("features = ['a', 'b']", "SQLML_BINDING_MISMATCH"),
        ("signature = 'place double'", "SQLML_FEATURE_UNUSABLE"),
    ):
        text = _refused(spark, f"IMPORT MODEL in.other FROM 'model.onnx' OPTIONS ({options})")
        assert f"[{condition}]" in text and ("pos 49" in text or condition.startswith("TABLE")), text


# -- MLflow ------------------------------------------------------------------------------------------------------------


def test_models_of_mlflow(spark: SparkSession, registry_folder: Path) -> None:
    """As MLflow's own Python registers them: with the flavour onnx they come in, with another they do not."""
    import mlflow
    from mlflow.models import infer_signature

    uri = f"sqlite:///{registry_folder / 'registry.db'}"
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        mlflow.set_experiment("sqlml")
        line = graph(
            [("x", "float", ["n", 2])], [("y", "float", ["n", 1])], [node("MatMul", "x w", "y")],
            {"w": np.array([[2.0], [3.0]], np.float32)},
        )  # fmt: skip
        import pandas as pd

        signature = infer_signature(pd.DataFrame({"area": [1.0], "rooms": [2.0]}), np.array([1.0]))
        with mlflow.start_run() as run:
            mlflow.onnx.log_model(
                line, name="graph", registered_model_name="Theirs", signature=signature, pip_requirements=[]
            )
        mlflow.MlflowClient(uri).set_registered_model_alias("Theirs", "best", 1)
        from sklearn.linear_model import LinearRegression

        with mlflow.start_run():
            fitted = LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0])
            mlflow.sklearn.log_model(fitted, name="fitted", registered_model_name="fitted", pip_requirements=[])
    finally:
        mlflow.set_tracking_uri(before)
        # MLflow sets the variable too, and programs that later tests start would take it for their registry.
        os.environ.pop("MLFLOW_TRACKING_URI", None)
    for source in ("models:/Theirs/1", "models:/Theirs@best", "models:/Theirs", f"runs:/{run.info.run_id}/graph"):
        (row,) = spark.sql(f"IMPORT MODEL in.theirs FROM '{source}' OPTIONS (target = 'price')").collect()
        assert (row.features, row.target) == (["area double", "rooms double"], "price"), source
    assert row.version == 4
    (one,) = spark.sql("SELECT PREDICT(in.theirs, rooms => 10, area => 1) AS y").collect()
    assert one.y == 32.0
    text = _refused(spark, "IMPORT MODEL in.fitted FROM 'models:/fitted/1'")
    assert "[SQLML_MODEL_REFUSED] The model is refused: models:/fitted/1 is a model of the flavour sklearn" in text
    assert "mlflow.sklearn.load_model('models:/fitted/1')" in text and "sqlml.register_model('in.fitted'" in text
    for name in ("Theirs", "fitted"):
        mlflow.MlflowClient(uri).delete_registered_model(name)
