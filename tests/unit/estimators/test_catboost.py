"""CatBoost: graphs of every kind of its trees, its options, and what it makes of missing values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from helpers.sklearn_fits import FEATURES, fit, plain_signature, signature_of

from sqlml.errors import SqlmlError
from sqlml.jobs.job import Fitted
from sqlml.scoring.scorer import Scorer
from sqlml.signature import Feature, Signature

_CLOSE = 1e-12


def _boost(target: str = "two", table: pa.Table | None = None, **changes: Any) -> Fitted:
    signature = changes.pop("signature", None) or (
        signature_of(target) if table is None else plain_signature(table, target)
    )
    params = {"iterations": 10, **changes.pop("params", {})}
    return fit("catboost", signature, table, params=params, tolerance=_CLOSE, **changes)


def _numbers(rows: int = 400) -> pa.Table:
    dice = np.random.default_rng(4)
    x = dice.normal(size=(rows, 3))
    amount = np.exp(x[:, 0] - 0.5 * x[:, 1]) + np.abs(x[:, 2])
    return pa.table({f"x{k}": x[:, k] for k in range(3)} | {"amount": amount})


@pytest.mark.parametrize("target", ["two", "three", "flags", "amount"])
def test_the_graph_answers_what_catboost_does_on_hostile_columns(target: str) -> None:
    fitted = _boost(target)
    assert fitted.fidelity.rows > 80 + len(FEATURES)
    assert fitted.fidelity.max_abs_diff <= _CLOSE
    assert fitted.fidelity.label_mismatches == 0
    assert fitted.library.startswith("CatBoost ")
    assert Fitted.from_json(fitted.to_json(), fitted.onnx) == fitted
    assert _boost(target).onnx == fitted.onnx, "same rows, same seed, same bytes"


@pytest.mark.parametrize("policy", ["SymmetricTree", "Depthwise", "Lossguide"])
@pytest.mark.parametrize("target", ["three", "amount"])
def test_every_shape_of_trees(policy: str, target: str) -> None:
    fitted = _boost(target, params={"depth": 4, "grow_policy": policy, "min_data_in_leaf": 5})
    assert fitted.fidelity.max_abs_diff <= _CLOSE
    assert fitted.params["grow_policy"] == policy


@pytest.mark.parametrize(
    "loss",
    [
        *("RMSE", "MAE", "MAPE", "LogCosh", "Poisson", "Expectile:alpha=0.3", "Huber:delta=1.0", "Lq:q=1.5"),
        *("Quantile:alpha=0.9", "Tweedie:variance_power=1.5"),
    ],
)
def test_every_loss_of_a_regression(loss: str) -> None:
    fitted = _boost("", _numbers(), params={"iterations": 30, "loss_function": loss})
    assert fitted.fidelity.max_abs_diff <= _CLOSE
    assert fitted.params["loss_function"] == loss


def test_two_classes_by_softmax() -> None:
    assert _boost("two", params={"loss_function": "MultiClass"}).fidelity.max_abs_diff <= _CLOSE


@pytest.mark.parametrize("mode", ["Min", "Max"])
@pytest.mark.parametrize("task", ["string", ""])
@pytest.mark.parametrize("holes", [False, True])
def test_missing_values(mode: str, task: str, holes: bool) -> None:
    """`fit` compares NULL, NaN and infinities in every column, also where training had none of them."""
    table = _numbers()
    x = np.column_stack([table.column(f"x{k}").to_numpy() for k in range(3)])
    x = np.where(np.random.default_rng(5).random(x.shape) < 0.2, np.nan, x) if holes else x
    amount = table.column("amount").to_numpy()
    target = [f"class {v}" for v in np.digitize(amount, [1.0, 2.0])] if task else amount
    table = pa.table({f"x{k}": x[:, k] for k in range(3)} | {"amount": target})
    fitted = _boost(task, table, params={"nan_mode": mode})
    missing = [pa.array([None, math.nan], pa.float64())] * 3
    assert len(set(Scorer(fitted.onnx, fitted.signature).label(missing).to_pylist())) == 1


def test_missing_values_go_to_the_side_of_nan_mode() -> None:
    known = np.arange(1.0, 201.0)
    x = [None if value % 2 == 0 else value for value in known]
    table = pa.table({"x": pa.array(x, pa.float64()), "amount": [0.0 if v is None else v for v in x]})
    found = {}
    for mode in ("Min", "Max"):
        fitted = _boost(
            "", table, params={"iterations": 100, "learning_rate": 0.5, "nan_mode": mode}, test_fraction=0.0
        )
        rows = [pa.array([None, 1.0, 199.0])]
        found[mode] = Scorer(fitted.onnx, fitted.signature).raw(rows)["prediction"]
        assert found[mode][0] == pytest.approx(0.0, abs=5.0)
    assert not np.array_equal(found["Min"], found["Max"])


def test_values_on_borders_and_next_to_them() -> None:
    dice = np.random.default_rng(3)
    columns = {
        "whole": dice.integers(-3, 4, 600).astype(float),
        "tiny": dice.choice([-1e-30, -1e-36, -0.0, 0.0, 1e-40, 1e-34, 1e-30], 600),
        "seconds": 1.7e9 + dice.integers(0, 86_400, 600),
        "share": dice.integers(0, 11, 600) / 10.0,
        "huge": dice.choice([1e308, -1e308, 1e39, 3.4e38, 1.0], 600),
    }
    amount = columns["whole"] + np.sign(columns["tiny"]) + columns["seconds"] % 700 / 100 + columns["share"]
    assert (
        _boost("", pa.table({**columns, "amount": amount}), params={"iterations": 40}).fidelity.max_abs_diff <= _CLOSE
    )


def test_early_stopping_and_weights() -> None:
    signature = Signature("regression", tuple(Feature(f"x{k}", "double") for k in range(3)), "amount", "double")
    table = _numbers().append_column("w", pa.array(np.tile([1.0, 2.0], 200)))
    params = {"early_stopping_rounds": 2, "iterations": 500, "learning_rate": 0.5}
    for weight in (None, "w"):
        fitted = _boost("", table, params=params, signature=signature, weight_column=weight)
        assert fitted.fidelity.max_abs_diff <= _CLOSE
        assert (
            fitted.onnx != _boost("", table, params={"iterations": 500, "learning_rate": 0.5}, signature=signature).onnx
        )


def test_monotone_constraints_by_feature_name() -> None:
    fitted = _boost("", _numbers(), params={"iterations": 50, "monotone_constraints": {"x1": -1}})
    rows = [pa.array([0.0] * 50), pa.array(np.linspace(-3, 3, 50)), pa.array([0.0] * 50)]
    predicted = Scorer(fitted.onnx, fitted.signature).raw(rows)["prediction"]
    assert (np.diff(predicted) <= 0.0).all() and predicted[0] > predicted[-1]


def test_hyperparameters_are_those_that_catboost_used() -> None:
    params = _boost("two", params={"depth": 3, "subsample": 0.7}).params
    assert (params["depth"], params["iterations"], params["subsample"]) == (3, 10, 0.7)
    assert (params["loss_function"], params["grow_policy"]) == ("Logloss", "SymmetricTree")


@pytest.mark.parametrize(
    ("target", "params", "message"),
    [
        ("two", {"depth": 40}, r"CatBoost says: Maximum tree depth is 16"),
        ("two", {"depth": "deep"}, 'Can\'t parse parameter "depth" with value: "deep"'),
        ("two", {"iterations": 0}, "iterations must be an integer from 1, not 0"),
        ("two", {"learning_rate": -1}, "learning_rate must be above 0, not -1"),
        ("two", {"grow_policy": "Region"}, "grow_policy = 'Region' cannot be converted"),
        ("two", {"nan_mode": "Forbidden"}, "nan_mode = 'Forbidden' cannot be converted"),
        ("two", {"loss_function": "CrossEntropy"}, "loss_function = 'CrossEntropy' cannot be converted"),
        ("amount", {"loss_function": "RMSEWithUncertainty"}, "loss_function = 'RMSEWithUncertainty'"),
        ("amount", {"monotone_constraints": {"none": 1}}, "monotone_constraints names 'none'"),
    ],
)
def test_options_that_are_refused(target: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(SqlmlError, match=message) as found:
        _boost(target, params=params)
    assert found.value.condition == "SQLML_OPTION_INVALID"
