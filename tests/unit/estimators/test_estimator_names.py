"""How a name in USING finds its estimator, and the estimator its class."""

from __future__ import annotations

import inspect
import sys
from dataclasses import replace

import pytest

from sqlml.errors import SqlmlError
from sqlml.estimators import ESTIMATORS, Estimator, resolve
from sqlml.estimators.library_classes import library_class
from sqlml.estimators.short_names import SHORT_NAMES


@pytest.mark.parametrize(
    ("name", "task", "hint", "found"),
    [
        (None, "classification", "sklearn", "sklearn.hist_gradient_boosting"),
        (None, "regression", "mllib", "mllib.gradient_boosting"),
        ("gradient_boosting", "regression", "sklearn", "sklearn.hist_gradient_boosting"),
        ("sklearn.gradient_boosting", "regression", "mllib", "sklearn.gradient_boosting"),
        ("Random_Forest", "classification", "mllib", "mllib.random_forest"),
        ("MLlib.Random_Forest", "classification", "sklearn", "mllib.random_forest"),
        ("RandomForestClassifier", "classification", "mllib", "mllib.random_forest"),
        ("GradientBoostingRegressor", "regression", "mllib", "sklearn.gradient_boosting"),
        ("gbtregressor", "regression", "sklearn", "mllib.gradient_boosting"),
        ("hist_gradient_boosting", "regression", "mllib", "sklearn.hist_gradient_boosting"),
        ("sklearn.LogisticRegression", "classification", "mllib", "sklearn.logistic_regression"),
        ("mlp", "classification", "sklearn", "sklearn.neural_network"),
        ("KNN", "regression", "sklearn", "sklearn.k_neighbors"),
        ("svr", "regression", "sklearn", "sklearn.svm"),
        ("mllib.rf", "regression", "sklearn", "mllib.random_forest"),
        ("gbm", "regression", "sklearn", "sklearn.hist_gradient_boosting"),
        # What the target asks for decides, and then the engine.
        ("lr", "classification", "sklearn", "sklearn.logistic_regression"),
        ("lr", "regression", "sklearn", "sklearn.linear_regression"),
        ("naive_bayes", "classification", "sklearn", "sklearn.gaussian_naive_bayes"),
        ("naive_bayes", "classification", "mllib", "mllib.naive_bayes"),
        ("mllib.nb", "classification", "sklearn", "mllib.naive_bayes"),
        ("xgb", "classification", "sklearn", "xgboost"),
        ("xgb", "classification", "mllib", "xgboost.spark"),
        ("lgbm", "regression", "mllib", "lightgbm"),
        ("qda", "classification", "sklearn", "sklearn.quadratic_discriminant_analysis"),
        ("gamma", "regression", "sklearn", "sklearn.gamma_regression"),
        ("lda", "classification", "sklearn", "sklearn.linear_discriminant_analysis"),
    ],
)
def test_names_of_estimators(name: str | None, task: str, hint: str, found: str) -> None:
    assert resolve(name, task, hint).name == found


@pytest.mark.parametrize(
    ("name", "task", "message", "hint"),
    [
        ("randomforest", "regression", "There is no estimator randomforest.", "Did you mean random_forest?"),
        ("sklearn.random_forrest", "regression", "no estimator", "Did you mean sklearn.random_forest?"),
        ("mllib.hist_gradient_boosting", "regression", "no estimator", "Did you mean"),
        ("spark.random_forest", "regression", "no estimator", "random_forest"),
        ("mllib.svm", "classification", "no estimator", "Did you mean mllib.linear_svm?"),
        ("gaussian", "regression", "no estimator", "one of gaussian_mixture, gaussian_naive_bayes, gaussian_process?"),
        ("DBSCAN", "clustering", "There is no estimator DBSCAN.", "For clustering: gaussian_mixture, k_means,"),
        ("nothing_like_it", "regression", "no estimator", "; for regression: decision_tree, gradient_boosting,"),
        ("logistic_regression", "regression", "supports only classification", "linear_regression"),
        ("RandomForestClassifier", "regression", "supports only classification", "random_forest"),
        ("sklearn.linear_regression", "classification", "supports only regression", "task = 'regression'"),
    ],
)
def test_names_that_do_not_fit(name: str, task: str, message: str, hint: str) -> None:
    with pytest.raises(SqlmlError) as found:
        resolve(name, task, "sklearn")
    assert found.value.condition == "SQLML_ESTIMATOR_NOT_FOUND"
    assert message in found.value.message
    assert hint in found.value.hint


def test_short_names_mean_estimators() -> None:
    nouns = {row.noun for row in ESTIMATORS}
    assert list(SHORT_NAMES) == sorted(SHORT_NAMES)
    assert {noun for meant in SHORT_NAMES.values() for noun in meant} <= nouns
    # All but naive_bayes, of which MLlib has one that takes counts only.
    assert set(SHORT_NAMES) & nouns == {"naive_bayes"}


def test_a_hint_offers_no_task_that_the_target_does_not_allow() -> None:
    with pytest.raises(SqlmlError) as found:
        resolve("linear_regression", "classification", "sklearn", ("classification",))
    assert "task" not in found.value.hint
    assert "logistic_regression" in found.value.hint


# -- classes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ESTIMATORS, ids=lambda row: row.name)
def test_the_table_names_classes_and_hyperparameters_that_exist(row: Estimator) -> None:
    classes = [library_class(row, task) for task in row.classes]
    assert [one.__name__ for one in classes] == [row.class_name(task) for task in row.classes]
    if row.engine == "sklearn":
        assert set(row.params) <= set().union(*(inspect.signature(one).parameters for one in classes))
    assert {*row.defaults, *row.quick} <= set(row.params)


def test_a_class_that_the_library_lacks_is_named() -> None:
    ridge = next(row for row in ESTIMATORS if row.name == "sklearn.ridge")
    for path in ("sklearn.linear_model.Bridge", "sklearn.bridges.Bridge"):
        with pytest.raises(SqlmlError) as found:
            library_class(replace(ridge, classes={"regression": path}), "regression")
        assert found.value.condition == "SQLML_MISSING_PACKAGE"
        module = path.rpartition(".")[0]
        assert found.value.message.startswith(f"sklearn.ridge needs Bridge of {module}, and scikit-learn 1.")
        assert (
            found.value.hint == "Install another release where the driver runs: pip install --upgrade 'sqlml[driver]'."
        )


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("lightgbm", "Install it where the driver runs: pip install 'sqlml[lightgbm]'."),
        ("xgboost.spark", "Install it on the driver and on the executors: pip install 'sqlml[xgboost]'."),
    ],
)
def test_a_library_that_is_not_installed_is_named(name: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = next(row for row in ESTIMATORS if row.name == name)
    monkeypatch.setitem(sys.modules, row.engine, None)
    missing = f"{name} needs {row.library}, but the Python package {row.engine} is missing"
    with pytest.raises(SqlmlError, match=missing) as found:
        library_class(row, "regression")
    assert (found.value.condition, found.value.hint) == ("SQLML_MISSING_PACKAGE", hint)
