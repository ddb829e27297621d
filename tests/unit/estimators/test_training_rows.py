"""The rows as a library of one machine gets them: prepared without copies, and as scikit-learn itself prepares them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sqlml.estimators import CLASSIFICATION, resolve
from sqlml.estimators.sklearn import preparation as sklearn_preparation
from sqlml.estimators.sklearn import rows as sklearn_rows
from sqlml.estimators.sklearn import training as sklearn
from sqlml.estimators.sklearn.transformers import Numbers, within_float32
from sqlml.jobs.job import Fitted, Job
from sqlml.signature import Feature, Signature

_FEATURES = (Feature("a", "double"), Feature("word", "string"), Feature("day", "date"), Feature("b", "int"))
_JOB = Job("lightgbm", Signature(CLASSIFICATION, _FEATURES, "y", "string"), {}, 42, test_fraction=0.2, tolerance=1e-6)


def _table(rows: int = 1000) -> pa.Table:
    dice = np.random.default_rng(0)
    return pa.table(
        {
            "a": dice.normal(size=rows),
            "word": dice.choice(["x", "y"], rows),
            "day": pa.array(dice.integers(0, 20_000, rows), pa.int32()).cast(pa.date32()),
            "b": pa.array(np.arange(rows), mask=dice.random(rows) < 0.1),
            "y": pa.array(dice.choice(["yes", "no"], rows), mask=dice.random(rows) < 0.05),
        }
    )


@pytest.mark.parametrize("fraction", [0.0, 0.2, 0.999])
def test_each_part_is_the_rows_that_it_names(fraction: float) -> None:
    """Also after rows without a target were dropped and the others have changed places in their own memory."""
    table = _table()
    rows = sklearn_rows.read(table, replace(_JOB, test_fraction=fraction))
    both = [part for part in (rows.learned, rows.held_out) if len(part)]
    assert len(both) == (2 if fraction else 1)
    for part in both:
        expected = table.take(pa.array(part.source))
        columns = [expected.column(feature.name) for feature in _FEATURES]
        pd.testing.assert_frame_equal(part.frame, sklearn_rows.frame(_FEATURES, columns))
        assert [rows.labels[place] for place in part.target] == expected.column("y").to_pylist()
    places = np.concatenate([part.source for part in both])
    assert sorted(places) == np.flatnonzero(table.column("y").is_valid().to_numpy()).tolist()


@pytest.mark.parametrize("fraction", [0.0, 0.2])
@pytest.mark.parametrize("estimator", ["lightgbm", "xgboost", "sklearn.hist_gradient_boosting"])
def test_what_takes_numbers_as_they_are_gets_them_without_a_copy(estimator: str, fraction: float) -> None:
    features = (Feature("a", "double"), Feature("day", "date"))
    job = replace(_JOB, estimator=estimator, signature=replace(_JOB.signature, features=features))
    rows = sklearn_rows.read(_table(), replace(job, test_fraction=fraction))
    steps = sklearn_preparation.steps(resolve(estimator, CLASSIFICATION, "sklearn"), job, rows=100, one_hot=False)
    x = Pipeline(steps).fit_transform(rows.learned.frame, rows.learned.target)
    assert x.flags.f_contiguous, "else LightGBM copies it"
    first = rows.learned.frame.iloc[:, 0].to_numpy()
    assert np.shares_memory(x, first)
    assert x.shape == (len(rows.learned), 6)


@pytest.mark.parametrize("row_major", [False, True])
@pytest.mark.parametrize("rows", [1, 2, 10_000, 300_000])
def test_numbers_are_imputed_and_scaled_as_scikit_learn_does_it(rows: int, row_major: bool) -> None:
    """To the last bit, though it does all columns at once."""
    dice = np.random.default_rng(rows)
    x = np.asfortranarray(dice.normal(size=(rows, 7)) * 10.0 ** np.arange(-3, 4) + 5.0)
    x[dice.random(rows) < 0.2, 2] = np.nan
    x[:, 3] = 0.1  # constant, but for rounding
    x[:, 4] = np.nan
    imputed = SimpleImputer(keep_empty_features=True).fit_transform(x)
    expected = StandardScaler().fit(np.asfortranarray(imputed))
    numbers = Numbers(["mean"] * 7, scale=True, row_major=row_major)
    found = numbers.fit_transform(pd.DataFrame(x))
    assert numbers.mean_.tolist() == expected.mean_.tolist()
    assert numbers.scale_.tolist() == expected.scale_.tolist()
    np.testing.assert_array_equal(found, expected.transform(imputed))
    assert found.flags.c_contiguous if row_major else found.flags.f_contiguous


def test_only_what_is_beyond_float32_is_cut() -> None:
    x = np.array([[1.0, np.nan], [-1e38, 3e38]])
    assert within_float32(x) is x
    x = np.array([[1.0, np.nan], [-1e39, 3e39]])
    largest = float(np.finfo(np.float32).max)
    np.testing.assert_array_equal(within_float32(x), [[1.0, np.nan], [-largest, largest]])


def _fit(table: pa.Table, **changes: Any) -> Fitted:
    features = (Feature("a", "double"), Feature("b", "int"))
    job = replace(_JOB, estimator="sklearn.decision_tree", signature=replace(_JOB.signature, features=features))
    return sklearn.fit(replace(job, params={"max_depth": 3}, **changes), table, lambda line: None)


def test_of_many_training_rows_a_sample_is_measured() -> None:
    """Which one does not depend on the order of the rows, and a class of two rows is in it."""
    rows = 250_000
    dice = np.random.default_rng(1)
    a = dice.normal(size=rows)
    y = np.where(a + dice.normal(size=rows) > 0.0, "yes", "no").astype(object)
    y[:2] = "rare"
    table = pa.table({"a": a, "b": np.arange(rows), "y": pa.array(y)})
    fitted = _fit(table, test_fraction=0.0)
    assert (fitted.rows, fitted.held_out) == (rows, 0)
    assert sklearn_rows.MOST_MEASURED - 1 <= fitted.measured <= sklearn_rows.MOST_MEASURED + 2
    shuffled = _fit(table.take(pa.array(dice.permutation(rows))), test_fraction=0.0)
    assert (shuffled.metrics, shuffled.measured) == (fitted.metrics, fitted.measured)
    held = _fit(table, test_fraction=0.5)
    assert held.measured == held.held_out == rows // 2, "what is held out is measured whole"
    assert fitted.metrics["accuracy"] == pytest.approx(held.metrics["accuracy"], abs=0.01)
