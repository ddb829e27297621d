"""LightGBM and XGBoost: constraints, options and names."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from helpers.boosted_fits import ROWS as _ROWS
from helpers.boosted_fits import boost as _boost
from helpers.sklearn_fits import signature_of as _signature

from sqlml.errors import SqlmlError
from sqlml.estimators import resolve
from sqlml.scoring.scorer import Scorer


@pytest.mark.parametrize("name", _ROWS)
def test_monotone_constraints_go_by_name(name: str) -> None:
    dice = np.random.default_rng(6)
    x = dice.normal(size=(800, 2))
    columns = {"moment": pa.array(dice.integers(0, 10**15, 800), pa.timestamp("us")), "Age": x[:, 0], "price": x[:, 1]}
    table = pa.table(
        {"t": dice.choice(["a", "b"], 800), **columns, "amount": np.sin(3 * x[:, 0]) + np.cos(3 * x[:, 1])}
    )
    kinds = {"t": "string", "moment": "timestamp", "Age": "double", "price": "double"}
    params = {"monotone_constraints": {"age": 1, "price": -1}, "n_estimators": 30}
    fitted = _boost(name, "amount", table, signature=_signature("amount", kinds), params=params)
    assert fitted.params["monotone_constraints"] == {"age": 1, "price": -1}
    model, steps = Scorer(fitted.onnx, fitted.signature), np.linspace(-3, 3, 200)
    first = [pa.array(["a"] * 200), pa.array([0] * 200, pa.timestamp("us"))]
    rises = model.raw([*first, pa.array(steps), pa.array(np.zeros(200))])["prediction"]
    falls = model.raw([*first, pa.array(np.zeros(200)), pa.array(steps)])["prediction"]
    assert (np.diff(rises) >= 0).all() and rises[-1] > rises[0]
    assert (np.diff(falls) <= 0).all() and falls[-1] < falls[0]


@pytest.mark.parametrize("name", _ROWS)
@pytest.mark.parametrize(
    ("constraints", "message", "hint"),
    [
        ({"plaace": 1}, "names 'plaace', which is not a feature", "place"),
        ({"t.e`x t": 1}, "which is STRING and not a number", ""),
        ({"day": 1}, "which is DATE and not a number", ""),
        ({"place": 2}, "of place must be 1 (increasing), -1 (decreasing) or 0, not 2", ""),
        ([1, 2], "must be a map from features to directions", "{'age': 1"),
    ],
)
def test_monotone_constraints_that_cannot_be(name: str, constraints: Any, message: str, hint: str) -> None:
    _refused(name, "two", {"monotone_constraints": constraints}, message, hint)


@pytest.mark.parametrize(
    ("name", "target", "params", "message"),
    [
        (
            "lightgbm",
            "two",
            {"boosting_type": "rf"},
            "boosting_type = 'rf' cannot be converted to ONNX",
        ),
        ("lightgbm", "amount", {"linear_tree": True}, "linear_tree = True"),
        ("lightgbm", "amount", {"zero_as_missing": True}, "zero_as_missing = True"),
        ("lightgbm", "three", {"objective": "multiclassova"}, "objective = 'multiclassova'"),
        ("lightgbm", "amount", {"objective": "lambdarank"}, "objective = 'lambdarank'"),
        ("lightgbm", "amount", {"objective": "binary"}, "objective = 'binary'"),
        ("lightgbm", "amount", {"objective": ["l2"]}, "objective = ['l2']"),
        ("lightgbm", "two", {"num_leaves": 1}, "num_leaves"),
        (
            "lightgbm",
            "two",
            {"subsample": 7},
            "subsample = 7. LightGBM says: Check failed: (bagging_fraction) <= (1.0)",
        ),
        ("lightgbm", "two", {"learning_rate": "fast", "max_bin": 9}, "max_bin = 9. LightGBM says: Unknown"),
        ("lightgbm", "two", {"early_stopping_rounds": "soon"}, "early_stopping_rounds must be an integer from 1"),
        ("lightgbm", "three", {"class_weight": {"11": 2}}, "class_weight names '11'"),
        ("xgboost", "two", {"booster": "dart"}, "booster = 'dart' cannot be converted to ONNX"),
        ("xgboost", "amount", {"booster": "gblinear"}, "booster = 'gblinear'"),
        ("xgboost", "amount", {"objective": "rank:ndcg"}, "objective = 'rank:ndcg'"),
        ("xgboost", "three", {"objective": "multi:softmax"}, "objective = 'multi:softmax'"),
        ("xgboost", "amount", {"objective": "binary:logistic"}, "objective = 'binary:logistic'"),
        ("xgboost", "amount", {"tree_method": "exact"}, "tree_method = 'exact'"),
        ("xgboost", "amount", {"quantile_alpha": [0.1, 0.9]}, "quantile_alpha must be one number"),
        ("xgboost", "two", {"max_depth": -1}, "max_depth"),
        ("xgboost", "two", {"max_depth": "deep"}, "max_depth"),
        ("xgboost", "two", {"learning_rate": "fast"}, "learning_rate = 'fast'. XGBoost says: Some trailing"),
        ("xgboost", "two", {"n_estimators": 0}, "n_estimators must be an integer from 1, not 0"),
        ("xgboost", "amount", {"n_estimators": 1.5}, "n_estimators must be an integer from 1, not 1.5"),
        ("xgboost", "two", {"early_stopping_rounds": 0}, "early_stopping_rounds must be an integer from 1"),
    ],
)
def test_options_that_are_refused(name: str, target: str, params: dict[str, Any], message: str) -> None:
    _refused(name, target, params, message)


def _refused(name: str, target: str, params: dict[str, Any], message: str, hint: str = "") -> None:
    with pytest.raises(SqlmlError) as found:
        _boost(name, target, params=params)
    assert found.value.condition == "SQLML_OPTION_INVALID"
    assert message in found.value.message
    assert hint in found.value.hint
    assert "\n" not in found.value.message and "scikit-learn" not in found.value.message
    assert ".cpp" not in found.value.message


@pytest.mark.parametrize("name", _ROWS)
def test_without_the_package(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SqlmlError, match=f"the Python package {name} is missing") as found:
        _boost(name)
    assert found.value.condition == "SQLML_MISSING_PACKAGE"
    assert found.value.hint == f"Install it where the driver runs: pip install 'sqlml[{name}]'."


@pytest.mark.parametrize("name", _ROWS)
def test_names_in_sql(name: str) -> None:
    row = _ROWS[name]
    assert resolve(name.upper(), "regression", "sklearn") is row
    assert resolve(row.class_name("classification").lower(), "classification", "sklearn") is row
    assert (row.engine, row.noun) == (name, name)


def test_the_defaults_that_were_used_are_known() -> None:
    used = _boost("xgboost", params={"max_depth": 3}).params
    shown = {name: used[name] for name in ("max_depth", "learning_rate", "max_bin", "n_estimators", "booster", "gamma")}
    assert shown == {
        "max_depth": 3,
        "learning_rate": 0.3,
        "max_bin": 256,
        "n_estimators": 10,
        "booster": "gbtree",
        "gamma": 0,
    }
    assert not {"device", "n_jobs", "missing", "feature_types"} & set(used)
