"""Which features a model uses: none that it depends on is left out, and none is kept for a weight of 0."""

from __future__ import annotations

import random
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from helpers.sql_engines import FIXTURES, model_of, sections
from helpers.unused import check_unused
from onnx import parser

from sqlml.compiler.feature_usage import used_features
from sqlml.estimators.sklearn import check
from sqlml.estimators.sklearn import training as engine
from sqlml.jobs.job import Fitted, Job
from sqlml.signature import Feature, Signature


def _graph(
    body: str, inputs: str = "double[N, 1] a, double[N, 1] b, double[N, 1] c", outputs: str = "prediction"
) -> bytes:
    text = f"""<ir_version: 10, opset_import: ["": 21, "ai.onnx.ml": 5]>
        g ({inputs}) => (double[N, 1] {outputs}) {body}"""
    content: bytes = parser.parse_model(text).SerializeToString()
    return content


def _used(body: str, *required: str) -> str:
    features = tuple(Feature(name, "double", required=name in required) for name in "abc")
    used = used_features(_graph(body), Signature("regression", features, "y", "double"))
    return "".join(name for name, taken in zip("abc", used, strict=True) if taken)


@pytest.mark.parametrize(
    ("body", "used"),
    [
        ("{ prediction = Add(a, b) }", "ab"),
        ("<double[3,1] w = {1, 0, 2}> { x = Concat<axis=1>(a, b, c) prediction = MatMul(x, w) }", "ac"),
        ("<double[1,3] w = {1, 0, 2}> { x = Concat<axis=1>(a, b, c) prediction = Gemm<transB=1>(x, w) }", "ac"),
        ("<double[1] zero = {0}> { x = Mul(b, zero) prediction = Add(x, a) }", "a"),
        # The same weight behind what is infinite for some numbers: 0 times infinity is not 0.
        ("<double[1] zero = {0}> { l = Log(b) x = Mul(l, zero) prediction = Add(x, a) }", "ab"),
        ("<double[1] zero = {0}> { l = Div(a, b) x = Mul(l, zero) prediction = Add(x, c) }", "abc"),
        ("<double[1] o = {0}, double[1] nan = {nan}> { l = Mul(b, nan) x = Mul(l, o) prediction = Add(x, a) }", "ab"),
        ("<int64[1] i = {2}> { x = Concat<axis=1>(a, b, c) prediction = Gather<axis=1>(x, i) }", "c"),
        ("<int64[1] i = {1}> { x = Concat<axis=1>(a, b, c) prediction = ai.onnx.ml.ArrayFeatureExtractor(x, i) }", "b"),
        ("<int64[2] i = {0, 2}, int64[1] one = {1}> { x = Concat<axis=1>(a, b, c) y = Gather<axis=1>(x, i)"
         " prediction = ReduceSum(y, one) }", "ac"),
        ("{ x = Concat<axis=1>(a, b) prediction = ai.onnx.ml.LinearRegressor<coefficients=[0.0, 2.0]>(x) }", "b"),
        ("{ x = Concat<axis=1>(a, b) y = ai.onnx.ml.Scaler<offset=[1.0, 1.0], scale=[0.0, 2.0]>(x) z = Softmax(y)"
         " prediction = ai.onnx.ml.ArrayFeatureExtractor(z, i) }".replace("{ x", "<int64[1] i = {0}> { x", 1), "b"),
        ("<int64[1] i = {1}, int64[1] j = {9}> { x = Concat<axis=1>(a, b, c) y = Slice(x, i, j, i)"
         " prediction = ReduceSum(y, i) }", "bc"),
        ("<int64[1] k = {1}> { x = Concat<axis=1>(b, c) prediction, places = TopK(x, k) }", "bc"),
        # An operator that the table does not know how to follow: everything that flows in.
        ("{ x = Concat<axis=1>(a, c) y = CumSum(x, i) prediction = ai.onnx.ml.ArrayFeatureExtractor(y, j) }"
         .replace("{ x", "<int64 i = {1}, int64[1] j = {0}> { x", 1), "ac"),
        # All of one kind: the first is kept, because the rows have to be counted.
        ("<double[1] zero = {0}> { prediction = Mul(b, zero) }", "a"),
    ],
)  # fmt: skip
def test_graphs(body: str, used: str) -> None:
    assert _used(body) == used


def test_what_is_required_is_used() -> None:
    assert _used("{ prediction = Identity(a) }", "c") == "ac"


def test_a_graph_within_the_graph_may_read_anything() -> None:
    body = """<bool yes = {1}> { prediction = If (yes) <
        then_branch = g1 () => (double[N, 1] x) { x = Identity(a) },
        else_branch = g2 () => (double[N, 1] y) { y = Identity(c) }> }"""
    assert _used(body) == "abc"


def test_a_function_of_the_models_own_is_not_what_its_name_says() -> None:
    text = """<ir_version: 10, opset_import: ["": 21, "own": 1]>
        g (double[N, 1] a, double[N, 1] b) => (double[N, 1] prediction)
        <double[1] zero = {0}> { x = own.Mul(a, zero) prediction = Add(x, b) }
        <domain: "own", opset_import: ["": 21]> Mul (x, y) => (z) { z = Add(x, y) }"""
    signature = Signature("regression", (Feature("a", "double"), Feature("b", "double")), "y", "double")
    assert used_features(parser.parse_model(text).SerializeToString(), signature) == (True, True)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_fixtures_use_what_they_show(path: object) -> None:
    parts = sections(path)  # type: ignore[arg-type]
    signature = Signature.from_json(parts["signature"])
    assert any(used_features(model_of(parts).SerializeToString(), signature))


# -- fitted models -----------------------------------------------------------------------------------------------------

_ROWS = 300


@cache
def _table() -> pa.Table:
    dice = np.random.default_rng(7)
    numbers = {f"n{place}": dice.normal(size=_ROWS) for place in range(20)}
    numbers["n3"][::17] = np.nan
    texts = random.Random(3).choices(["red", "blue", "green", None], k=_ROWS)
    score = 2 * numbers["n1"] - numbers["n2"] + np.array([text == "red" for text in texts])
    columns = {name: pa.array(values) for name, values in numbers.items()}
    return pa.table({**columns, "colour": pa.array(texts), "other": pa.array(texts[::-1]), "y": pa.array(score > 0)})


def _fit(estimator: str, **options: object) -> Fitted:
    table = _table()
    features = [
        Feature(name, "double" if table[name].type == pa.float64() else "string") for name in table.column_names[:-1]
    ]
    signature = Signature("classification", tuple(features), "y", "boolean")
    job = Job(estimator, signature, options, seed=42, test_fraction=0.2, tolerance=1e-6)
    return engine.fit(job, table, lambda line: None)


def _names(fitted: Fitted) -> list[str]:
    rows = check.rows(_table(), fitted.signature.features, {})
    used = check_unused(fitted.onnx, fitted.signature, rows)
    return [name for name, taken in zip(fitted.signature.names, used, strict=True) if taken]


def test_weights_of_zero() -> None:
    fitted = _fit("sklearn.logistic_regression", penalty="l1", solver="liblinear", C=0.05)
    names = _names(fitted)
    assert {"n1", "n2"} <= set(names)
    assert len(names) <= 5


@pytest.mark.parametrize(
    "estimator", ["sklearn.random_forest", "sklearn.hist_gradient_boosting", "xgboost", "lightgbm"]
)
def test_trees_together_use_what_one_of_them_looks_at(estimator: str) -> None:
    options = {"max_depth": 1, "max_iter" if "hist" in estimator else "n_estimators": 3}
    names = _names(_fit(estimator, **options))
    assert "n1" in names
    assert len(names) <= 3


def test_a_tree_of_depth_2_uses_three_features_at_most() -> None:
    assert len(_names(_fit("sklearn.decision_tree", max_depth=2))) <= 3
