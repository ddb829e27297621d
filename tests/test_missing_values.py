"""Estimators that take missing numbers themselves: graph and both engines send a NULL where the library sends NaN."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from helpers.engine_pairs import compare

from sqlml.errors import SqlmlError
from sqlml.estimators import CLASSIFICATION, REGRESSION, missing_values, resolve
from sqlml.estimators.sklearn import training as engine
from sqlml.estimators.sklearn.preparation import steps
from sqlml.jobs.job import Fitted, Job
from sqlml.signature import Feature, Signature

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_NATIVE: dict[str, dict[str, Any]] = {
    "sklearn.bagging": {"n_estimators": 4},
    "sklearn.decision_tree": {"max_depth": 6},
    "sklearn.extra_trees": {"n_estimators": 4, "max_depth": 6},
    "sklearn.hist_gradient_boosting": {"max_iter": 8},
    "sklearn.random_forest": {"n_estimators": 4, "max_depth": 6},
}
_FEATURES = {
    "gappy": "double",
    "whole": "double",
    "nothing": "double",
    "count": "int",
    "flag": "boolean",
    "day": "date",
    "city": "string",
}


def _table(rows: int = 300, *, gaps: bool = True) -> pa.Table:
    dice = np.random.default_rng(7)
    gappy, whole = dice.normal(size=rows), dice.normal(size=rows)
    count, flag, days = dice.integers(0, 9, rows), dice.random(rows) < 0.5, dice.integers(0, 3_000, rows)
    cities = dice.choice(["Oslo", "Bergen", "Bodø"], rows)
    missing = dice.random((5, rows)) < (0.15 if gaps else 0.0)
    amount = 3.0 * np.where(missing[0], 2.0, np.sign(gappy)) + whole + 0.3 * count + flag + days / 1_000 + missing[4]
    return pa.table(
        {
            "gappy": pa.array(gappy, mask=missing[0]),
            "whole": pa.array(whole),
            "nothing": pa.nulls(rows, pa.float64()),
            "count": pa.array(count.astype(np.int32), mask=missing[1]),
            "flag": pa.array(flag, mask=missing[2]),
            "day": pa.array([dt.date(2015, 1, 1) + dt.timedelta(int(day)) for day in days], mask=missing[3]),
            "city": pa.array(cities, mask=missing[4]),
            "amount": pa.array(amount),
            "label": pa.array(np.where(amount > 5.0, "high", np.where(amount > 1.0, "mid", "low"))),
        }
    )


def _signature(target: str) -> Signature:
    features = tuple(Feature(*pair) for pair in _FEATURES.items())
    if target == "amount":
        return Signature(REGRESSION, features, target, "double")
    return Signature(CLASSIFICATION, features, target, "string")


def _fit(estimator: str, target: str, table: pa.Table, **changes: Any) -> Fitted:
    params = changes.pop("params", _NATIVE.get(estimator, {}))
    job = Job(estimator, _signature(target), params, seed=42, test_fraction=0.2, tolerance=1e-9, **changes)
    return engine.fit(job, table, lambda line: None)


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
    with pytest.raises(SqlmlError, match="gappy are too large"):
        _fit("sklearn.decision_tree", "amount", table, impute={"gappy": "mean"})


@pytest.mark.parametrize(
    ("estimator", "target", "gaps"),
    [
        ("sklearn.hist_gradient_boosting", "label", True),
        ("sklearn.hist_gradient_boosting", "amount", False),
        ("sklearn.random_forest", "amount", True),
        ("sklearn.decision_tree", "label", False),
    ],
)
def test_both_engines(
    spark: SparkSession, registry_folder: Path, tmp_path: Path, estimator: str, target: str, gaps: bool
) -> None:
    """Rows with gaps, where the training had some and where it had none."""
    rows = _table(60).drop_columns(["amount", "label"])
    nothing = pa.table({name: pa.nulls(1, rows.schema.field(name).type) for name in rows.column_names})
    full = rows.set_column(2, "nothing", pa.array(np.linspace(-2.0, 2.0, 60)))
    fitted = _fit(estimator, target, _table(gaps=gaps))
    asked = pa.concat_tables([rows, nothing, full])
    assert compare(spark, registry_folder, fitted, asked, tmp_path), f"{estimator} is compiled"
