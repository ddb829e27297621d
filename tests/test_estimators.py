"""How a name in USING finds its estimator."""

from __future__ import annotations

import pytest

from sqlml.errors import SqlmlError
from sqlml.estimators import resolve


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
        ("logistic_regression", "regression", "does classification only", "linear_regression"),
        ("RandomForestClassifier", "regression", "does classification only", "random_forest"),
        ("sklearn.linear_regression", "classification", "does regression only", "task = 'regression'"),
    ],
)
def test_names_that_do_not_fit(name: str, task: str, message: str, hint: str) -> None:
    with pytest.raises(SqlmlError) as found:
        resolve(name, task, "sklearn")
    assert found.value.condition == "SQLML_ESTIMATOR_NOT_FOUND"
    assert message in found.value.message
    assert hint in found.value.hint
