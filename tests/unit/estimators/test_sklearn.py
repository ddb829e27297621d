"""scikit-learn: every estimator gives the same answers as its graph, the same graph twice, and clear errors."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from helpers.sklearn_fits import FEATURES as _FEATURES
from helpers.sklearn_fits import PICKY as _PICKY
from helpers.sklearn_fits import ROWS as _ROWS
from helpers.sklearn_fits import SUPERVISED as _SUPERVISED
from helpers.sklearn_fits import TARGETS as _TARGETS
from helpers.sklearn_fits import fit as _fit
from helpers.sklearn_fits import hostile_table as _table
from helpers.sklearn_fits import plain_signature as _plain
from helpers.sklearn_fits import signature_of as _signature
from sklearn import datasets

from sqlml.errors import SqlmlError
from sqlml.estimators import WITHOUT_TARGET, Estimator
from sqlml.jobs.job import Fitted
from sqlml.jobs.preparation import MAX_CATEGORIES, CategoryColumn
from sqlml.scoring.feature_values import NULL_TEXT
from sqlml.scoring.scorer import Scorer
from sqlml.signature import Feature, Signature


def _task(name: str) -> str:
    return "regression" if name in ("amount", "load_diabetes") else "classification"


def _cases(*names: str) -> list[Any]:
    """Every estimator with every target or data set that it can do."""
    pairs = [(row, name) for row in _SUPERVISED for name in names if _task(name) in row.classes]
    return [pytest.param(row, name, id=f"{row.name}-{name}") for row, name in pairs]


# -- parity: `fit` itself refuses a graph that differs from the Pipeline on real and on hard rows ----------------------


@pytest.mark.parametrize(("row", "target"), _cases(*_TARGETS))
def test_the_graph_answers_what_the_pipeline_does_on_hostile_columns(row: Estimator, target: str) -> None:
    if row.name in _PICKY:
        pytest.skip("refuses such columns")
    signature = _signature(target)
    fitted = _fit(row.name, signature)
    assert fitted.fidelity.rows > 80 + len(_FEATURES)
    assert fitted.fidelity.max_abs_diff <= 1e-9
    assert fitted.fidelity.label_mismatches == 0
    assert (fitted.rows, fitted.held_out) == (320, 80)
    known = {"labels": fitted.signature.labels, "probabilities": fitted.signature.probabilities}
    assert fitted.signature == replace(signature, **known)
    assert Fitted.from_json(fitted.to_json(), fitted.onnx) == fitted
    assert _fit(row.name, signature).onnx == fitted.onnx, "same rows, same seed, same bytes"


def test_labels_and_their_order() -> None:
    found = {target: _fit("sklearn.decision_tree", _signature(target)).signature.labels for target in _TARGETS}
    assert found == {"two": ("nö", "yes"), "three": (0, 10, 20), "flags": (False, True), "amount": ()}


# Positive measurements are all true to one of them, one predicts the same for all rows, one needs more than its default
# of iterations, and one looks for what features and target share and not for the least error.
_NOT_FOR_SUCH_NUMBERS = ("bernoulli_naive_bayes", "dummy", "neural_network", "pls_canonical")


@pytest.mark.slow
@pytest.mark.parametrize(("row", "load"), _cases("load_breast_cancer", "load_wine", "load_diabetes"))
def test_real_data_is_learned(row: Estimator, load: str) -> None:
    data = getattr(datasets, load)()
    task = _task(load)
    table = pa.table({name: data.data[:, k] for k, name in enumerate(data.feature_names)} | {"amount": data.target})
    signature = _plain(table, "" if task == "regression" else "bigint")
    fitted = _fit(row.name, signature, table)
    assert fitted.fidelity.max_abs_diff <= 1e-9
    # A full tree learns the diabetes data by heart and does worse than the mean on the rest; so do some others.
    if row.noun not in _NOT_FOR_SUCH_NUMBERS:
        metric, least = ("r2", -0.5) if task == "regression" else ("accuracy", 0.6)
        assert fitted.metrics[metric] > least
    assert set(fitted.metrics) >= ({"rmse", "mae"} if task == "regression" else {"precision", "recall", "f1"})
    assert ("log_loss" in fitted.metrics) == (task == "classification" and fitted.signature.probabilities)
    assert ("roc_auc" in fitted.metrics) == (load == "load_breast_cancer")


@pytest.mark.parametrize(
    ("estimator", "params"),
    [
        ("sklearn.decision_tree", {"class_weight": {"YES": 3.0, "nö": 0.5}, "splitter": "random"}),
        ("sklearn.gradient_boosting", {"n_estimators": 5, "loss": "exponential"}),
        ("sklearn.gradient_boosting", {"n_estimators": 5, "learning_rate": 1, "subsample": 0.5}),
        ("sklearn.hist_gradient_boosting", {"max_iter": 5, "max_bins": 20}),
        ("sklearn.hist_gradient_boosting", {"max_iter": 20, "early_stopping": True, "class_weight": "balanced"}),
        ("sklearn.logistic_regression", {"solver": "liblinear", "fit_intercept": False}),
        ("sklearn.logistic_regression", {"solver": "saga", "l1_ratio": 1.0, "C": 0.1, "max_iter": 50}),
        ("sklearn.random_forest", {"n_estimators": 7, "max_depth": 3, "bootstrap": False}),
        ("sklearn.random_forest", {"n_estimators": 1, "class_weight": "balanced_subsample"}),
        ("sklearn.ada_boost", {"n_estimators": 5, "learning_rate": 0.5}),
        ("sklearn.bagging", {"n_estimators": 5, "max_features": 0.5, "max_samples": 0.3}),
        ("sklearn.bernoulli_naive_bayes", {"binarize": 0.5, "alpha": 2.0}),
        ("sklearn.extra_trees", {"n_estimators": 5, "bootstrap": True, "max_depth": 4}),
        ("sklearn.k_neighbors", {"n_neighbors": 3, "weights": "distance"}),
        ("sklearn.linear_discriminant_analysis", {"solver": "lsqr", "shrinkage": "auto"}),
        ("sklearn.radius_neighbors", {"radius": 5.0, "weights": "distance"}),
        ("sklearn.linear_svm", {"C": 0.01, "loss": "hinge", "dual": True}),
        ("sklearn.neural_network", {"hidden_layer_sizes": [8, 4], "activation": "tanh", "max_iter": 20}),
        ("sklearn.neural_network", {"hidden_layer_sizes": 5, "activation": "logistic", "max_iter": 20}),
        ("sklearn.sgd", {"loss": "log_loss"}),
        ("sklearn.sgd", {"loss": "modified_huber", "penalty": "elasticnet"}),
        ("sklearn.svm", {"kernel": "linear"}),
        ("sklearn.svm", {"kernel": "poly", "degree": 2, "coef0": 1.0}),
        ("sklearn.svm", {"kernel": "sigmoid", "gamma": "auto", "class_weight": "balanced"}),
    ],
)
def test_hyperparameters_of_classifiers(estimator: str, params: dict[str, Any]) -> None:
    fitted = _fit(estimator, _signature("two"), params=params)
    shown = {name: value for name, value in params.items() if name != "class_weight"}
    assert fitted.params | shown == fitted.params


@pytest.mark.parametrize(
    ("estimator", "params"),
    [
        ("sklearn.decision_tree", {"criterion": "absolute_error", "max_leaf_nodes": 9}),
        ("sklearn.gradient_boosting", {"n_estimators": 5, "loss": "huber"}),
        ("sklearn.gradient_boosting", {"n_estimators": 5, "loss": "quantile", "alpha": 0.9}),
        ("sklearn.hist_gradient_boosting", {"max_iter": 5, "loss": "poisson"}),
        ("sklearn.hist_gradient_boosting", {"max_iter": 5, "loss": "gamma"}),
        ("sklearn.hist_gradient_boosting", {"max_iter": 5, "loss": "quantile", "quantile": 0.1}),
        ("sklearn.linear_regression", {"positive": True}),
        ("sklearn.ada_boost", {"n_estimators": 7, "loss": "square"}),
        ("sklearn.gamma_regression", {"alpha": 0.5}),
        ("sklearn.k_neighbors", {"n_neighbors": 3, "weights": "distance"}),
        ("sklearn.neural_network", {"hidden_layer_sizes": [4], "activation": "identity", "max_iter": 20}),
        ("sklearn.poisson_regression", {"alpha": 0.5}),
        ("sklearn.quantile_regression", {"quantile": 0.9, "alpha": 0.01}),
        ("sklearn.radius_neighbors", {"radius": 5.0, "weights": "distance"}),
        ("sklearn.svm", {"kernel": "poly", "epsilon": 0.3}),
        ("sklearn.svm", {"epsilon": 1000.0}),
        ("sklearn.tweedie_regression", {"power": 1.5}),
        ("sklearn.tweedie_regression", {"power": 0, "link": "log"}),
    ],
)
def test_hyperparameters_of_regressors(estimator: str, params: dict[str, Any]) -> None:
    table = _table().set_column(
        _table().schema.get_field_index("amount"), "amount", pa.compute.add(pa.compute.abs(_table()["amount"]), 0.1)
    )
    _fit(estimator, _signature("amount"), table, params=params)


def test_many_classes_stay_small() -> None:
    dice = np.random.default_rng(0)
    x = dice.integers(0, 50, 2_000)
    table = pa.table({"x": x.astype(float), "noise": dice.normal(size=2_000), "two": [f"class {v:02}" for v in x]})
    fitted = _fit("sklearn.random_forest", _plain(table, "string"), table, params={"n_estimators": 10})
    assert len(fitted.signature.labels) == 50
    assert len(fitted.onnx) < 2_000_000, "a class's copy of a tree leaves out what makes no difference to it: 8 MB"
    assert fitted.metrics["accuracy"] > 0.8


# Of a target that nothing explains they make no model at all; of a Gaussian process only the rounding would decide.
_HOPELESS = ("sklearn.ada_boost", "sklearn.gaussian_process", "sklearn.nu_svm")


def test_equal_scores_are_decided_as_the_library_does() -> None:
    """Every row is in every class as often, so all scores are equal."""
    rows = [(x, label) for x in (0.0, 1.0) for label in "abc" for _ in range(10)]
    for labels in ("ab", "abc"):
        chosen = [(x, label) for x, label in rows if label in labels]
        table = pa.table({"x": [x for x, _ in chosen], "two": [label for _, label in chosen]})
        for row in _SUPERVISED:
            if "classification" in row.classes and row.name not in _HOPELESS:
                fitted = _fit(row.name, _plain(table, "string"), table, test_fraction=0.0)
                assert fitted.fidelity.label_mismatches == 0, row.name


_WITHOUT_TARGET = [
    pytest.param(row.name, params, id=f"{row.noun}-{number}")
    for row in _ROWS
    if set(row.classes) & set(WITHOUT_TARGET)
    for number, params in enumerate(
        {
            "gaussian_mixture": [
                {"n_components": 3, "covariance_type": kind} for kind in ("full", "tied", "diag", "spherical")
            ],
            "birch": [{"n_clusters": 3}, {"n_clusters": 2, "threshold": 2.0}],
            "bisecting_k_means": [{"n_clusters": 3}, {"n_clusters": 7, "bisecting_strategy": "largest_cluster"}],
            # It inverts the covariance of these columns, some of which are constant; see test_sklearn_by_name.py.
            "elliptic_envelope": [],
            "isolation_forest": [{"n_estimators": 10}, {"n_estimators": 10, "max_features": 0.5, "contamination": 0.1}],
            "k_means": [{"n_clusters": 3}, {"n_clusters": 20, "init": "random", "n_init": 2}],
            "local_outlier_factor": [{}, {"n_neighbors": 5, "contamination": 0.1}],
            "mini_batch_k_means": [{"n_clusters": 4}],
            "pca": [{"n_components": 2}, {"n_components": 0.9, "whiten": True}, {}],
            "truncated_svd": [{}, {"n_components": 1, "algorithm": "arpack"}],
            "one_class_svm": [{"nu": 0.1}, {"nu": 0.3, "kernel": "poly", "degree": 2}],
        }.get(row.noun, [row.quick])
    )
]


@pytest.mark.parametrize(("estimator", "params"), _WITHOUT_TARGET)
def test_what_learns_without_a_target(estimator: str, params: dict[str, Any]) -> None:
    (task,) = next(row for row in _ROWS if row.name == estimator).classes
    features = tuple(Feature(*pair) for pair in _FEATURES.items())
    types = {"clustering": "int", "anomaly_detection": "boolean", "dimensionality_reduction": "double"}
    signature = Signature(task, features, None, types[task])
    # A mixture divides by variances of a millionth.
    tolerance = 1e-6 if "mixture" in estimator else 1e-9
    given = {"params": params, "test_fraction": 0.0, "tolerance": tolerance}
    fitted = _fit(estimator, signature, **given)
    assert fitted.fidelity.max_abs_diff <= tolerance
    assert (fitted.rows, fitted.held_out) == (400, 0)
    assert fitted.signature.probabilities == ("mixture" in estimator)
    answers = Scorer(fitted.onnx, fitted.signature).label([_table()[name] for name in _FEATURES])
    if task == "clustering":
        # Some find out themselves how many clusters there are.
        count = params.get("n_clusters", params.get("n_components", fitted.metrics["clusters"]))
        assert fitted.signature.labels == tuple(range(int(count)))
        assert fitted.metrics["clusters"] == len(set(answers.to_pylist()))
    elif task == "dimensionality_reduction":
        count = len(fitted.signature.outputs)
        assert isinstance(params.get("n_components", 0.0), float) or count == params["n_components"]
        assert answers.type.names == [f"component_{place}" for place in range(1, count + 1)]
        least = params.get("n_components", 0.1)
        kept = fitted.metrics["explained_variance"]
        assert (least if isinstance(least, float) else 0.0) <= kept <= 1.0 + 1e-12
        if estimator == "sklearn.pca" and not params:
            assert kept == pytest.approx(1.0), "with all components nothing is lost"
    else:
        assert fitted.metrics == {"anomalies": pytest.approx(sum(answers.to_pylist()) / 400)}
    assert _fit(estimator, signature, **given).onnx == fitted.onnx


@pytest.mark.parametrize("estimator", ["sklearn.multinomial_naive_bayes", "sklearn.complement_naive_bayes"])
@pytest.mark.parametrize("target", ["two", "three"])
def test_counts(estimator: str, target: str) -> None:
    table = _table().select(["flag", "t.e`x t", "many", target])
    features = {name: _FEATURES[name] for name in table.column_names[:-1]}
    assert _fit(estimator, _signature(target, features), table).fidelity.max_abs_diff <= 1e-9
    with pytest.raises(SqlmlError, match=r"learns from counts, but .* has negative values"):
        _fit(estimator, _signature(target))


@pytest.mark.parametrize("target", ["two", "three"])
def test_quadratic_discriminant_analysis(target: str) -> None:
    features = {name: _FEATURES[name] for name in ("epoch", "place", "NaN", "t.e`x t")}
    fitted = _fit("sklearn.quadratic_discriminant_analysis", _signature(target, features), params={"reg_param": 0.01})
    assert fitted.fidelity.max_abs_diff <= 1e-9


def test_scores_speak_for_their_class() -> None:
    """Of a model without probabilities the largest score is the label's."""
    for target in ("two", "three"):
        fitted = _fit("sklearn.linear_svm", _signature(target))
        raw = Scorer(fitted.onnx, fitted.signature).raw([_table()[name] for name in _FEATURES])
        assert set(raw) == {"label", "scores"}
        best = [fitted.signature.labels[place] for place in raw["scores"].argmax(axis=1)]
        assert raw["label"].tolist() == best


def test_large_batches_are_cut() -> None:
    fitted = _fit("sklearn.k_neighbors", _signature("amount"))
    model = Scorer(fitted.onnx, fitted.signature)
    assert model._most_rows is not None
    many = pa.concat_tables([_table()] * 3)
    model._most_rows = 7
    once = Scorer(fitted.onnx, fitted.signature).label([_table()[name] for name in _FEATURES])
    cut = model.label([many[name] for name in _FEATURES]).to_pylist()
    assert cut == pytest.approx(once.to_pylist() * 3, rel=1e-12)


# -- preparation -------------------------------------------------------------------------------------------------------


def test_missing_infinite_unseen_and_null_are_scored() -> None:
    table = pa.table(
        {"n": [1.0, 2.0, None, math.inf] * 10, "t": ["a", "", None, "b"] * 10, "amount": [1, 2, 3, 4] * 10}
    )
    fitted = _fit("sklearn.decision_tree", _plain(table), table, test_fraction=0.0, impute={"n": "mean"})
    assert fitted.preparation.numbers[0].impute == 1.5
    assert fitted.preparation.categories == (CategoryColumn("t", ("", NULL_TEXT, "a", "b"), other=False),)
    model = Scorer(fitted.onnx, fitted.signature)
    numbers = pa.array([1.0, 2.0, None, math.inf, math.nan, 1.5, -math.inf])
    answers = model.label([numbers, pa.array(["a", "", None, "b", None, None, None])]).to_pylist()
    assert answers == [1.0, 2.0, 3.0, 4.0, 3.0, 3.0, 3.0]
    assert model.label([pa.array([1.0]), pa.array(["never seen"])]).to_pylist()[0] in {1.0, 2.0, 3.0, 4.0}


@pytest.mark.parametrize("count", [MAX_CATEGORIES, MAX_CATEGORIES + 1])
@pytest.mark.parametrize("estimator", ["sklearn.hist_gradient_boosting", "sklearn.linear_regression"])
def test_the_most_frequent_categories_are_kept(estimator: str, count: int) -> None:
    names = [f"k{k:03}" for k in range(count) for _ in range(3 if k else 2)]
    table = pa.table({"t": names, "amount": [float(name[1:]) for name in names]})
    fitted = _fit(estimator, _plain(table), table, test_fraction=0.0)
    (column,) = fitted.preparation.categories
    assert len(column.categories) == MAX_CATEGORIES
    assert column.other == (count > MAX_CATEGORIES)
    assert ("k000" in column.categories) == (not column.other), "the rarest one is left out"


def test_trees_do_not_scale() -> None:
    for row in _SUPERVISED:
        if row.name in _PICKY:
            continue
        task = next(iter(row.classes))
        numbers = _fit(row.name, _signature("amount" if task == "regression" else "two")).preparation.numbers
        assert any(column.mean != 0.0 for column in numbers) == row.scale
        assert all(column.scale > 0.0 for column in numbers)


def test_numbers_beyond_all_bounds() -> None:
    table = pa.table({"x": [1e308, -1e308, 1e39, 1.0] * 5, "amount": [1.0, 2.0, 3.0, 4.0] * 5})
    assert _fit("sklearn.random_forest", _plain(table), table).fidelity.max_abs_diff == 0.0
    assert _fit("sklearn.hist_gradient_boosting", _plain(table), table).fidelity.max_abs_diff == 0.0
    with pytest.raises(SqlmlError, match="The values of x are so large"):
        _fit("sklearn.linear_regression", _plain(table), table)
    # Trees that take missing numbers themselves need no mean of them.
    huge = pa.table({"x": [1e308] * 20, "amount": range(20)})
    assert _fit("sklearn.random_forest", _plain(huge), huge).fidelity.max_abs_diff == 0.0
    with pytest.raises(SqlmlError, match="The values of x are so large"):
        _fit("sklearn.ada_boost", _plain(huge), huge)
