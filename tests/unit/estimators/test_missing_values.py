"""Estimators that take missing numbers themselves: graph and both engines send a NULL where the library sends NaN."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from helpers.gappy_fits import FEATURES as _FEATURES
from helpers.gappy_fits import NATIVE as _NATIVE
from helpers.gappy_fits import fit as _fit
from helpers.gappy_fits import gappy_table as _table
from helpers.gappy_fits import signature_of as _signature

from sqlml.errors import SqlmlError
from sqlml.estimators import REGRESSION, missing_values, resolve
from sqlml.estimators.sklearn import training as engine
from sqlml.estimators.sklearn.preparation import steps
from sqlml.jobs.job import Job
from sqlml.signature import Feature, Signature


@pytest.mark.parametrize("gaps", [True, False], ids=["gaps", "no gaps"])
@pytest.mark.parametrize("target", ["amount", "label"])
@pytest.mark.parametrize("estimator", _NATIVE)
def test_nothing_is_imputed(estimator: str, target: str, gaps: bool) -> None:
    """The fit itself compares the graph with the library, NULL in each column and in all of them included."""
    fitted = _fit(estimator, target, _table(gaps=gaps))
    assert fitted.fidelity.max_abs_diff == 0.0 or target == "label"
    imputed = {column.feature: column.impute for column in fitted.preparation.numbers if column.impute is not None}
    # HistGradientBoosting cannot make bins of a column without any number.
    assert imputed == ({"nothing": 0.0} if estimator == "sklearn.hist_gradient_boosting" else {})
    assert fitted.preparation.describe("gappy") == "NULL is handled by the model"
    assert fitted.preparation.describe("day").endswith("NULL is handled by the model")


@pytest.mark.parametrize("estimator", ["sklearn.hist_gradient_boosting", "sklearn.random_forest"])
def test_where_missing_means_something_the_mean_costs_accuracy(estimator: str) -> None:
    table = _table(2_000)
    native = _fit(estimator, "amount", table)
    numbers = [name for name, kind in _FEATURES.items() if kind != "string"]
    filled = _fit(estimator, "amount", table, impute=dict.fromkeys(numbers, "mean"))
    assert all(column.impute is not None for column in filled.preparation.numbers)
    assert native.metrics["rmse"] < filled.metrics["rmse"]


def test_impute_is_for_the_features_that_it_names() -> None:
    fitted = _fit("sklearn.random_forest", "amount", _table(), impute={"gappy": "median"}, missing_flag=("gappy",))
    assert [column.impute is None for column in fitted.preparation.numbers][:2] == [False, True]
    assert fitted.preparation.flags == ("gappy",)


def test_a_column_with_a_few_numbers_among_many_rows() -> None:
    """More than 10,000 rows are cut for early stopping: HistGradientBoosting fails where no number is left."""
    rows = 13_000
    whole = np.arange(rows) / 7.0
    rare = pa.array(whole, mask=np.arange(rows) > 3)
    table = pa.table({"rare": rare, "amount": pa.array(whole)})
    signature = Signature(REGRESSION, (Feature("rare", "double"),), "amount", "double")
    for seed in range(3):
        job = Job("sklearn.hist_gradient_boosting", signature, {"max_iter": 2}, seed, 0.2, 1e-9)
        (column,) = engine.fit(job, table, lambda line: None).preparation.numbers
        assert column.impute is not None and column.impute < 1.0


@pytest.mark.parametrize("estimator", ["sklearn.gradient_boosting", "sklearn.ada_boost", "sklearn.ridge"])
def test_others_get_means(estimator: str) -> None:
    numbers = _fit(estimator, "amount", _table(), params={}).preparation.numbers
    assert all(column.impute is not None for column in numbers)


def test_the_release_and_the_options_decide() -> None:
    """As the libraries' own tags have it, for every row of the table that asks them."""
    tree = resolve("decision_tree", REGRESSION, "sklearn")
    assert missing_values.are_taken(tree, REGRESSION, {"criterion": "poisson"})
    assert not missing_values.are_taken(resolve("svm", REGRESSION, "sklearn"), REGRESSION, {})
    job = Job("sklearn.svm", _signature("amount"), {}, 42, 0.2, 1e-9)
    numbers = dict(steps(resolve("svm", REGRESSION, "sklearn"), job, rows=300, one_hot=True))["prepare"].transformers[0]
    assert numbers[1].wanted == ["mean"] * len(numbers[1].wanted)


def test_infinite_means_are_refused_only_where_they_are_taken() -> None:
    table = _table().set_column(0, "gappy", pa.array([1.7e308] * 300))
    assert _fit("sklearn.decision_tree", "amount", table)
    with pytest.raises(SqlmlError, match="gappy are so large"):
        _fit("sklearn.decision_tree", "amount", table, impute={"gappy": "mean"})
