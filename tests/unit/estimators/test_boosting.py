"""LightGBM and XGBoost: their graphs answer what they do, for missing and unknown values too; the rest is refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import onnxruntime
import pyarrow as pa
import pytest
from helpers.boosted_fits import CLOSE as _CLOSE
from helpers.boosted_fits import ROWS as _ROWS
from helpers.boosted_fits import boost as _boost
from helpers.folders import FIXTURES
from helpers.sklearn_fits import FEATURES as _FEATURES
from helpers.sklearn_fits import TARGETS as _TARGETS
from helpers.sklearn_fits import hostile_table as _table
from helpers.sklearn_fits import signature_of as _signature

from sqlml.errors import SqlmlError
from sqlml.estimators.sklearn import model as sklearn_model
from sqlml.estimators.sklearn import training as engine
from sqlml.export.graph import DOUBLE, Graph
from sqlml.export.trees import Tree, constant, emit
from sqlml.jobs.job import Fitted, Job
from sqlml.jobs.preparation import MAX_CATEGORIES, Preparation
from sqlml.scoring.feature_values import NULL_TEXT
from sqlml.scoring.scorer import Scorer


def _positive() -> pa.Table:
    amounts = pa.compute.add(pa.compute.abs(_table()["amount"]), 0.1)
    return _table().set_column(_table().schema.get_field_index("amount"), "amount", amounts)


def _shares() -> pa.Table:
    """Targets between 0 and 1, both included."""
    amounts = np.clip(_table()["amount"].to_numpy() / 4.0 + 0.5, 0.0, 1.0)
    return _table().set_column(_table().schema.get_field_index("amount"), "amount", pa.array(amounts))


# -- parity: `fit` itself refuses a graph that differs from the Pipeline on real and on hard rows ----------------------


@pytest.mark.parametrize("target", _TARGETS)
@pytest.mark.parametrize("name", _ROWS)
def test_the_graph_answers_what_the_library_does_on_hostile_columns(name: str, target: str) -> None:
    signature = _signature(target)
    fitted = _boost(name, target)
    assert fitted.fidelity.rows > 80 + len(_FEATURES)
    assert fitted.fidelity.max_abs_diff <= _CLOSE[name]
    assert fitted.fidelity.label_mismatches == 0
    assert fitted.signature == replace(signature, labels=fitted.signature.labels)
    assert fitted.library.split()[0] == _ROWS[name].library
    assert Fitted.from_json(fitted.to_json(), fitted.onnx) == fitted
    json.dumps(fitted.params, allow_nan=False)
    assert _boost(name, target).onnx == fitted.onnx, "same rows, same seed, same bytes"
    assert all(column.impute is None for column in fitted.preparation.numbers)


_LIGHTGBM_CLASSIFIERS: list[dict[str, Any]] = [
    {"objective": "binary", "sigmoid": 2.5, "n_estimators": 50},
    {"boosting_type": "dart", "drop_rate": 0.5},
    {"boosting_type": "goss"},
    {"class_weight": {"YES": 3.0, "nö": 0.5}, "boost_from_average": False},
    {"class_weight": "balanced", "extra_trees": True, "path_smooth": 1.0},
    {"subsample": 0.5, "subsample_freq": 1, "colsample_bytree": 0.5, "colsample_bynode": 0.5},
    {"scale_pos_weight": 5.0, "max_bin": 15, "num_leaves": 7, "max_depth": 2},
    {"max_cat_to_onehot": 200, "min_data_per_group": 1, "cat_smooth": 0.1, "cat_l2": 0.0},
    {"is_unbalance": True, "min_child_samples": 1, "learning_rate": 1.0, "n_estimators": 100},
]
_LIGHTGBM_REGRESSORS: list[dict[str, Any]] = [
    {"objective": "regression"},
    {"objective": "mae", "n_estimators": 100, "num_leaves": 63, "min_child_samples": 2},
    {"objective": "huber", "alpha": 0.5},
    {"objective": "fair", "fair_c": 2.0},
    {"objective": "quantile", "alpha": 0.1},
    {"objective": "mape"},
    {"objective": "poisson", "poisson_max_delta_step": 0.5},
    {"objective": "gamma"},
    {"objective": "tweedie", "tweedie_variance_power": 1.2},
]

_XGBOOST_CLASSIFIERS: list[dict[str, Any]] = [
    {"objective": "binary:logistic", "base_score": 0.9, "n_estimators": 50},
    {"scale_pos_weight": 5.0, "max_depth": 2, "learning_rate": 1.0},
    {"subsample": 0.5, "colsample_bytree": 0.5, "colsample_bylevel": 0.5, "colsample_bynode": 0.5},
    {"num_parallel_tree": 3, "tree_method": "approx", "max_bin": 16},
    {"grow_policy": "lossguide", "max_leaves": 9, "max_depth": 0, "min_child_weight": 0.1, "gamma": 0.1},
    {"max_cat_to_onehot": 200, "reg_alpha": 0.1, "reg_lambda": 0.5},
    {"max_cat_to_onehot": 1, "max_cat_threshold": 5, "max_delta_step": 0.5},
]
_XGBOOST_REGRESSORS: list[dict[str, Any]] = [
    {"objective": "reg:squarederror", "n_estimators": 100, "base_score": -3.0},
    {"objective": "reg:absoluteerror"},
    {"objective": "reg:squaredlogerror"},
    {"objective": "reg:pseudohubererror", "huber_slope": 0.5},
    {"objective": "reg:quantileerror", "quantile_alpha": 0.9},
    {"objective": "reg:gamma"},
    {"objective": "reg:tweedie", "tweedie_variance_power": 1.2},
    {"objective": "count:poisson", "n_estimators": 50},
    {"objective": "count:poisson", "base_score": 2.0},
]


@pytest.mark.parametrize(
    ("name", "target", "params"),
    [
        *(("lightgbm", "two", params) for params in _LIGHTGBM_CLASSIFIERS),
        *(("lightgbm", "amount", params) for params in _LIGHTGBM_REGRESSORS),
        ("lightgbm", "three", {"objective": "softmax", "n_estimators": 50}),
        *(("xgboost", "two", params) for params in _XGBOOST_CLASSIFIERS),
        *(("xgboost", "amount", params) for params in _XGBOOST_REGRESSORS),
        ("xgboost", "three", {"objective": "multi:softprob", "n_estimators": 50, "num_parallel_tree": 2}),
        ("xgboost", "three", {"early_stopping_rounds": 2, "n_estimators": 50, "num_parallel_tree": 2}),
    ],
)
def test_objectives_and_hyperparameters(name: str, target: str, params: dict[str, Any]) -> None:
    table = _positive() if target == "amount" else None
    fitted = _boost(name, target, table, params=params, signature=_signature(target))
    assert fitted.fidelity.label_mismatches == 0
    shown = {option: value for option, value in params.items() if option != "class_weight"}
    assert fitted.params | shown == fitted.params


@pytest.mark.parametrize(("name", "objective"), [("lightgbm", "cross_entropy"), ("xgboost", "reg:logistic")])
def test_shares_are_predicted_by_a_sigmoid(name: str, objective: str) -> None:
    table, params = _shares(), {"objective": objective, "n_estimators": 50}
    fitted = _boost(name, "amount", table, params=params, signature=_signature("amount"))
    answers = Scorer(fitted.onnx, fitted.signature).raw([table[name] for name in fitted.signature.names])["prediction"]
    assert 0.0 < answers.min() < 0.3 and 0.7 < answers.max() < 1.0


@pytest.mark.parametrize("name", _ROWS)
def test_values_on_thresholds_and_next_to_them(name: str) -> None:
    """Whole and tiny numbers, seconds of one day: every threshold in float32 and float64, and what is next to it."""
    dice = np.random.default_rng(3)
    columns = {
        "whole": dice.integers(-3, 4, 600).astype(float),
        "tiny": dice.choice([-1e-30, -1e-36, -0.0, 0.0, 1e-40, 1e-34, 1e-30], 600),
        "seconds": 1.7e9 + dice.integers(0, 86_400, 600),
        "share": dice.integers(0, 11, 600) / 10.0,
    }
    amount = columns["whole"] + np.sign(columns["tiny"]) + columns["seconds"] % 700 / 100 + columns["share"]
    table = pa.table({**columns, "amount": amount})
    fitted = _boost(name, "", table, params={"n_estimators": 40, "min_child_weight": 0.0})
    assert fitted.fidelity.max_abs_diff <= _CLOSE[name]


@pytest.mark.parametrize("task", ["string", ""])
@pytest.mark.parametrize("name", _ROWS)
def test_missing_values_that_training_never_saw(name: str, task: str) -> None:
    """`fit` compares NULL, NaN and infinities in every column, and -1e30 to 1e30; here training had none of them."""
    dice = np.random.default_rng(4)
    x = dice.normal(size=(500, 3))
    score = x[:, 0] - x[:, 1] + np.abs(x[:, 2])
    target = [f"class {v}" for v in np.digitize(score, [0.0, 1.0])] if task else score
    for holes in (False, True):
        values = np.where(dice.random(x.shape) < 0.2, np.nan, x) if holes else x
        table = pa.table({f"x{k}": values[:, k] for k in range(3)} | {"amount": target})
        fitted = _boost(name, task, table, params={"n_estimators": 30})
        model = Scorer(fitted.onnx, fitted.signature)
        missing = [pa.array([None, math.nan, math.inf, -math.inf], pa.float64())] * 3
        answers = model.label(missing).to_pylist()
        assert len(set(answers)) == 1, "NULL, NaN and both infinities are all missing"


@pytest.mark.parametrize("count", [4, MAX_CATEGORIES, MAX_CATEGORIES + 50])
@pytest.mark.parametrize("name", _ROWS)
def test_categories(name: str, count: int) -> None:
    """Few are split one by one and many by sets; NULL is one, and what training never saw goes where the model says."""
    dice = np.random.default_rng(5)
    codes = np.minimum(dice.geometric(min(0.5, 4.0 / count), 4_000) - 1, count - 1)
    texts = [None if code == 1 else f"k{code:03}" for code in codes]
    amount = np.sin(codes * 2.0) + dice.normal(size=4_000) / 10.0
    table = pa.table({"t": texts, "x": dice.normal(size=4_000), "amount": amount})
    fitted = _boost(name, "", table, params={"n_estimators": 40})
    (column,) = fitted.preparation.categories
    assert NULL_TEXT in column.categories
    assert column.other == (count > MAX_CATEGORIES)
    assert fitted.metrics["r2"] > 0.8, "categories are learned"
    assert fitted.fidelity.max_abs_diff <= _CLOSE[name]


@pytest.mark.parametrize("name", _ROWS)
def test_a_class_of_one_row_is_learned(name: str) -> None:
    table = pa.table({"x": range(100), "two": ["rare"] + ["a", "b", "b"] * 33})
    for params in ({}, {"early_stopping_rounds": 2}):
        assert _boost(name, "string", table, params=params).signature.labels == ("a", "b", "rare")


@pytest.mark.parametrize("name", _ROWS)
def test_equal_scores_are_decided_as_the_library_does(name: str) -> None:
    rows = [(x, label) for x in (0.0, 1.0) for label in "abc" for _ in range(30)]
    for labels in ("ab", "abc"):
        chosen = [(x, label) for x, label in rows if label in labels]
        table = pa.table({"x": [x for x, _ in chosen], "two": [label for _, label in chosen]})
        assert _boost(name, "string", table, test_fraction=0.0).fidelity.label_mismatches == 0


@pytest.mark.parametrize("name", _ROWS)
def test_few_rows_and_nothing_to_learn(name: str) -> None:
    table = pa.table({"x": [1.0, 2.0], "t": ["a", "b"], "amount": [5.0, 5.0]})
    fitted = _boost(name, "", table)
    assert Scorer(fitted.onnx, fitted.signature).raw([table["x"], table["t"]])["prediction"].tolist() == [5.0, 5.0]
    few = pa.table({"x": [1.0, 2.0, 3.0], "two": ["a", "b", "a"]})
    assert _boost(name, "string", few).fidelity.label_mismatches == 0


@pytest.mark.parametrize("name", _ROWS)
def test_numbers_beyond_all_bounds(name: str) -> None:
    table = pa.table(
        {
            "x": [1e308, -1e308, 1e39, 1.0, None] * 40,
            "y": [3.4e38, None] * 100,
            "amount": [1.0, 2.0, 3.0, 4.0, 9.0] * 40,
        }
    )
    fitted = _boost(name, "", table, params={"n_estimators": 50})
    assert fitted.fidelity.max_abs_diff <= _CLOSE[name]


def test_what_is_predicted_before_the_first_tree_counts_once() -> None:
    """A tree that XGBoost has grown, beside which ONNX Runtime adds a leaf that both ways of a root share twice."""
    raw = json.loads((FIXTURES / "tree_with_sets.json").read_text())
    columns = {name: np.array(raw[name]) for name in ("feature", "threshold", "left", "right")}
    count = len(raw["left"])
    members = {int(node): tuple(values) for node, values in raw["members"].items()}
    weights = np.array(raw["weights"])[:, np.newaxis]
    tree = Tree(**columns, missing_left=np.zeros(count, dtype=bool), weights=weights, members=members)
    start = [constant(float(output + 1), output) for output in range(3)]
    np.testing.assert_allclose(_sums([*start, tree]) - _sums([tree]), [[1.0, 2.0, 3.0]])


def _sums(trees: list[Tree]) -> Any:
    """Of one row."""
    graph = Graph()
    x = graph.concat([graph.input(name, DOUBLE) for name in "abcd"])
    graph.output("sums", emit(graph, x, trees, 3), DOUBLE, 3)
    session = onnxruntime.InferenceSession(graph.model().SerializeToString())
    return session.run(None, {name: np.array([[1.0]]) for name in "abcd"})[0]


# -- the same rows, the same model -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", _ROWS)
def test_the_order_of_the_rows_and_the_threads_make_no_difference(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    params = {"subsample": 0.7, "colsample_bytree": 0.7, "early_stopping_rounds": 5}
    backwards = _table().take(pa.array(range(_table().num_rows - 1, -1, -1)))
    for target in ("three", "amount"):
        forwards = _boost(name, target, params=params)
        assert _boost(name, target, backwards, params=params, signature=_signature(target)).onnx == forwards.onnx
        assert _boost(name, target, params=params, seed=43).onnx != forwards.onnx
        with monkeypatch.context() as patched:
            patched.setattr(sklearn_model, "FEW_CELLS", 0)
            assert _boost(name, target, params=params).onnx == forwards.onnx


# -- what training takes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["two", "three", "amount"])
@pytest.mark.parametrize("name", _ROWS)
def test_early_stopping_keeps_the_best_trees(name: str, target: str) -> None:
    many = {"n_estimators": 400, "learning_rate": 0.5}
    stopped = _boost(name, target, params={**many, "early_stopping_rounds": 3})
    assert len(stopped.onnx) < len(_boost(name, target, params=many).onnx) / 2
    assert stopped.fidelity.label_mismatches == 0
    assert stopped.params["early_stopping_rounds"] == 3


@pytest.mark.parametrize("name", _ROWS)
def test_early_stopping_needs_rows(name: str) -> None:
    table = pa.table({"x": range(9), "amount": range(9)})
    with pytest.raises(SqlmlError, match="needs at least 10 rows") as found:
        _boost(name, "", table, params={"early_stopping_rounds": 3})
    assert found.value.condition == "SQLML_TOO_FEW_ROWS"


# -- names and words ---------------------------------------------------------------------------------------------------


def test_what_describe_says_of_missing_values() -> None:
    fitted = _boost("lightgbm")
    assert fitted.preparation.describe("place") == "NULL is handled by the model"
    assert fitted.preparation.describe("day").endswith("dayofweek; NULL is handled by the model")
    assert Preparation.from_json(fitted.preparation.to_json()) == fitted.preparation


def test_nothing_is_noisy(capfd: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    for name in _ROWS:
        job = Job(name, _signature("two"), {}, seed=42, test_fraction=0.2, tolerance=1e-6)
        engine.fit(job, _table(), lines.append)
    assert not [line for line in lines if line.startswith("warning")]
    said = capfd.readouterr()
    assert said.out + said.err == ""
