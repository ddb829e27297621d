"""Rows that an estimator cannot learn from are refused before the fit, by the names of columns, labels and options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from helpers.sklearn_fits import fit as _fit

from sqlml.errors import SqlmlError
from sqlml.estimators import CLASSIFICATION, REGRESSION
from sqlml.jobs.job import Fitted
from sqlml.signature import Feature, Signature

_ROWS = 100


def _table(**columns: Any) -> pa.Table:
    dice = np.random.default_rng(1)
    x = dice.normal(size=_ROWS)
    known = {"x": x, "city": dice.choice(["Oslo", "Bergen", "Bodø"], _ROWS), "y": np.where(x > 0.0, "yes", "no")}
    return pa.table(known | columns)


def _learn(estimator: str, table: pa.Table, **params: Any) -> Fitted:
    *names, target = table.column_names
    kinds = {name: "string" if pa.types.is_string(table.schema.field(name).type) else "double" for name in names}
    features = tuple(Feature(*pair) for pair in kinds.items())
    text = pa.types.is_string(table.schema.field(target).type)
    task, kind = (CLASSIFICATION, "string") if text else (REGRESSION, "double")
    return _fit(estimator, Signature(task, features, target, kind), table, params=params)


def _labels(**counts: int) -> np.ndarray[Any, Any]:
    named = [label for label, count in counts.items() for _ in range(count)]
    return np.array([*named, *["often", "usual"] * _ROWS][:_ROWS])


@pytest.mark.parametrize(
    ("estimator", "params", "target", "said"),
    [
        (
            "sklearn.poisson_regression",
            {},
            -1.5,
            "of at least 0, but -1.5 is the smallest value of y",
        ),
        ("sklearn.gamma_regression", {}, 0.0, "predicts numbers above 0, but 0 is the smallest value of y"),
        ("sklearn.tweedie_regression", {"power": 1.5}, -1.0, "with power = 1.5 predicts numbers of at least 0"),
        ("sklearn.tweedie_regression", {"power": 3}, 0.0, "with power = 3 predicts numbers above 0"),
        ("sklearn.hist_gradient_boosting", {"loss": "gamma"}, 0.0, "with loss = 'gamma' predicts numbers above 0"),
        ("sklearn.random_forest", {"criterion": "poisson"}, -1.0, "with criterion = 'poisson' predicts"),
        ("lightgbm", {"objective": "xentropy"}, 2.0, "predicts numbers from 0 to 1, but 2 is the largest value of y"),
        ("lightgbm", {"objective": "poisson"}, -1.0, "with objective = 'poisson' predicts numbers of at least 0"),
        (
            "xgboost",
            {"objective": "count:poisson"},
            -1.0,
            "with objective = 'count:poisson' predicts numbers of at least 0",
        ),
        ("xgboost", {"objective": "reg:squaredlogerror"}, -1.0, "predicts numbers above -1"),
    ],
)
def test_the_range_of_a_target(estimator: str, params: dict[str, Any], target: float, said: str) -> None:
    # All rows are learned from, so that the one in question is.
    table = pa.table({"x": np.arange(9.0), "y": [0.5] * 8 + [target]})
    with pytest.raises(SqlmlError) as found:
        _learn(estimator, table, **params)
    assert found.value.condition == "SQLML_TARGET_INVALID"
    assert said in found.value.message and found.value.hint


@pytest.mark.parametrize(
    ("estimator", "params", "labels", "said"),
    [
        (
            "quadratic_discriminant_analysis",
            {},
            {"rare": 1},
            "at least 2 training rows of each label, but the label 'rare'",
        ),
        (
            "quadratic_discriminant_analysis",
            {},
            {"rare": 5},
            "needs more than 4 training rows of each label, but the label 'rare' of y has 4",
        ),
        ("stacking", {}, {"rare": 1}, "in 5 folds, so it needs at least 2 training rows of each label"),
        (
            "neural_network",
            {"early_stopping": True},
            {"rare": 1},
            "holds out rows for early stopping, so it needs at least 2 training rows",
        ),
        (
            "gradient_boosting",
            {"n_iter_no_change": 2},
            {"rare": 1},
            "holds out rows for early stopping, so it needs at least 2 training rows",
        ),
        ("nu_svm", {}, {"rare": 5}, "'rare' (4 rows) of y, because nu can be at most 0."),
    ],
)
def test_labels_with_few_rows(estimator: str, params: dict[str, Any], labels: dict[str, int], said: str) -> None:
    with pytest.raises(SqlmlError) as found:
        _learn(f"sklearn.{estimator}", _table(y=_labels(**labels)), **params)
    assert found.value.condition in ("SQLML_TOO_FEW_ROWS", "SQLML_OPTION_INVALID")
    assert said in found.value.message and found.value.hint


@pytest.mark.parametrize("noun", ["multinomial_naive_bayes", "complement_naive_bayes"])
def test_negative_counts(noun: str) -> None:
    with pytest.raises(SqlmlError, match="learns from counts, but x has negative values"):
        _learn(f"sklearn.{noun}", _table())


def test_constant_features_of_a_discriminant_analysis() -> None:
    with pytest.raises(SqlmlError, match="none of x, city has two different values"):
        _learn("sklearn.linear_discriminant_analysis", _table(x=np.ones(_ROWS), city=["Oslo"] * _ROWS))


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        ("k_neighbors", "needs at least 5 training rows, but there are 3"),
        ("stacking", "there are only 3 training rows"),
    ],
)
def test_few_rows(estimator: str, message: str) -> None:
    with pytest.raises(SqlmlError, match=message) as found:
        _learn(f"sklearn.{estimator}", pa.table({"x": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 4.0]}))
    assert "= 3)" in found.value.hint


def test_a_library_s_own_words_come_with_its_name_and_the_estimator_s() -> None:
    with pytest.raises(SqlmlError) as found:
        _learn("sklearn.tweedie_regression", _table(y=np.linspace(-1.0, 1.0, _ROWS)), power=0.5)
    assert found.value.message.startswith("sklearn.tweedie_regression cannot learn from these rows with power = 0.5.")
    assert " scikit-learn says: " in found.value.message


def test_quadratic_discriminant_analysis_beside_texts() -> None:
    """One-hot columns add up to 1, and no row of one of the labels has one of the categories."""
    table = _table()
    city = np.where(np.asarray(table["y"]) == "yes", "Oslo", np.asarray(table["city"]))
    fitted = _learn("sklearn.quadratic_discriminant_analysis", table.set_column(1, "city", pa.array(city)))
    assert fitted.params["reg_param"] == 1e-3
    assert fitted.metrics["accuracy"] > 0.9 and fitted.fidelity.max_abs_diff < 1e-9


# -- fits that end early, and targets far from 0 -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "params"),
    [
        ("sklearn.ada_boost", {}),
        ("sklearn.gradient_boosting", {"n_iter_no_change": 1, "n_estimators": 200, "tol": 0.5}),
        ("sklearn.hist_gradient_boosting", {"early_stopping": True, "n_iter_no_change": 1, "tol": 0.5}),
        ("sklearn.neural_network", {"early_stopping": True, "n_iter_no_change": 1, "max_iter": 20}),
        ("sklearn.sgd", {"early_stopping": True, "n_iter_no_change": 1}),
        ("lightgbm", {"early_stopping_rounds": 1, "n_estimators": 50}),
        ("xgboost", {"early_stopping_rounds": 1, "n_estimators": 50}),
    ],
)
@pytest.mark.parametrize("labels", [2, 3, 0])
def test_fits_that_end_early(estimator: str, params: dict[str, Any], labels: int) -> None:
    """The first tree of AdaBoost makes no mistake; the others are told to stop. The fit compares graph and library."""
    rows = np.arange(60)
    target = rows * labels // 60
    y = np.array(["x", "z", "w"])[target] if labels else (rows >= 30) * 3.0
    table = pa.table({"a": rows.astype(float), "b": (rows % 5).astype(float), "y": y})
    assert _learn(estimator, table, **params).fidelity.rows > 12


def test_a_boosted_ensemble_whose_first_tree_is_no_better_than_chance() -> None:
    with pytest.raises(
        SqlmlError, match=r"^\S+ sklearn.ada_boost cannot learn from these rows. scikit-learn says: "
    ) as found:
        _learn("sklearn.ada_boost", pa.table({"a": np.ones(60), "y": np.array(["x", "z", "w"] * 20)}))
    assert found.value.hint == "No feature has two different values in the training rows."


@pytest.mark.parametrize("slope", [1.5, 1000.0])
@pytest.mark.parametrize("noun", ["gaussian_process", "linear_svm", "neural_network", "nu_svm", "sgd", "svm"])
def test_targets_far_from_zero(noun: str, slope: float) -> None:
    rows = np.arange(500)
    table = pa.table({"a": (rows % 7).astype(float), "y": 2000.0 + rows % 7 * slope})
    features = (Feature("a", "double"),)
    # Without noise a Gaussian process of rows that occur seventy times each is singular, and multiplies rounding by its
    # weights: how much depends on the processor.
    params = {"alpha": 1e-3} if noun == "gaussian_process" else {}
    fitted = _fit(
        f"sklearn.{noun}", Signature(REGRESSION, features, "y", "double"), table, params=params, tolerance=1e-9
    )
    assert fitted.metrics["r2"] > 0.98
    assert fitted.library.startswith("scikit-learn") and "model" not in fitted.params


def test_one_value_as_target() -> None:
    table = pa.table({"a": np.arange(50.0), "y": np.full(50, 7.25)})
    assert _learn("sklearn.svm", table).metrics["rmse"] < 1e-9
