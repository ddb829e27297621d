"""Models of models: which members there may be, and that the graph combines them as scikit-learn does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from helpers.sklearn_fits import fit as _fit
from helpers.sklearn_fits import signature_of as _signature

from sqlml.errors import SqlmlError
from sqlml.jobs.job import Fitted

_FEATURES = {"x": "double", "z": "double", "text": "string"}


def _table(rows: int = 120) -> pa.Table:
    dice = np.random.default_rng(3)
    x, z = dice.normal(size=rows), dice.normal(size=rows)
    text = dice.choice(["a", "b", "c"], rows)
    amount = 3 * x + np.abs(z) + (text == "b")
    return pa.table(
        {
            "x": pa.array(x, mask=dice.random(rows) < 0.1),
            "z": z,
            "text": text,
            "amount": amount,
            "two": np.where(amount > 1, "yes", "no"),
            "three": np.digitize(amount, [-1, 1]),
        }
    )


def _combined(noun: str, target: str, **params: Any) -> Fitted:
    return _fit(f"sklearn.{noun}", _signature(target, _FEATURES), _table(), params=params)


@pytest.mark.parametrize(
    ("noun", "target", "params"),
    [
        ("voting", "two", {"estimators": ("gaussian_naive_bayes_", "ridge")}),
        ("voting", "two", {"estimators": ("voting", "decision_tree")}),
        ("stacking", "amount", {"estimators": ("k_neighbors", "ridge")}),
        ("stacking", "two", {"final_estimator": "lasso"}),
    ],
)
def test_only_what_has_a_graph_of_its_own_is_combined(noun: str, target: str, params: dict[str, Any]) -> None:
    with pytest.raises(
        SqlmlError, match=r"names (gaussian_naive_bayes_|voting|k_neighbors|lasso), which is not"
    ) as caught:
        _combined(noun, target, **params)
    assert caught.value.condition == "SQLML_OPTION_INVALID" and caught.value.hint


@pytest.mark.parametrize("names", ["ridge", ("ridge",), ("ridge", "ridge"), (1, 2)])
def test_two_members_at_least(names: Any) -> None:
    with pytest.raises(SqlmlError, match="estimators must"):
        _combined("voting", "amount", estimators=names)


def test_a_member_without_probabilities_cannot_vote_on_them() -> None:
    with pytest.raises(
        SqlmlError, match="Voting averages probabilities, but linear_svm in estimators does not have them"
    ):
        _combined("voting", "two", estimators=("linear_svm", "decision_tree"))


@pytest.mark.parametrize(
    ("noun", "target", "params"),
    [
        ("voting", "three", {"estimators": ("decision_tree", "logistic_regression"), "weights": (1, 2.5)}),
        ("voting", "amount", {"estimators": ("extra_trees", "lasso", "huber_regression"), "weights": (3, 1, 0)}),
        ("stacking", "two", {"estimators": ("linear_svm", "decision_tree"), "passthrough": True}),
        ("stacking", "three", {"estimators": ("linear_svm", "ridge", "sgd"), "stack_method": "predict", "cv": 3}),
        ("stacking", "three", {"estimators": ("ridge", "sgd"), "final_estimator": "random_forest"}),
        ("stacking", "amount", {"estimators": ("ridge", "sgd"), "final_estimator": "ada_boost", "cv": 3}),
    ],
)
def test_the_graph_says_what_scikit_learn_says(noun: str, target: str, params: dict[str, Any]) -> None:
    """A difference beyond the tolerance, or a label that is no tie, would have refused the model."""
    fitted = _combined(noun, target, **params)
    assert fitted.fidelity.rows > 24 and fitted.fidelity.max_abs_diff < 1e-12
    assert fitted.fidelity.label_mismatches == 0
    assert fitted.params["estimators"] == params["estimators"]


def test_the_usual_members_are_named() -> None:
    assert _combined("voting", "two").params["estimators"] == [
        *("logistic_regression", "random_forest", "hist_gradient_boosting")
    ]
