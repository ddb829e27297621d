"""Feature preparation by scikit-learn: builds the ColumnTransformer, and converts the fitted one into a Preparation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sqlml.errors import SqlmlError
from sqlml.estimators import Estimator, label_options, missing_values
from sqlml.estimators.sklearn.rows import number_columns, text_columns
from sqlml.estimators.sklearn.transformers import Codes, Columns, Numbers, Texts, within_float32
from sqlml.jobs.job import Job
from sqlml.jobs.preparation import CategoryColumn, CodeColumn, NumberColumn, Preparation
from sqlml.signature import Feature


def steps(estimator: Estimator, job: Job, *, rows: int, one_hot: bool) -> list[tuple[str, Any]]:
    """The Pipeline steps from `rows.frame` to the prepared matrix.

    Args:
        rows: the number of training rows.
        one_hot: True for a one-hot block per text, False for one number.
    """
    features = job.signature.features
    columns: list[tuple[str, Any, Any]] = []
    missing = _takes_missing(estimator, job)
    numbers = [name for _, _, name in number_columns(features)]
    if numbers:
        # Number columns are adjacent; a slice selects them without a copy, unlike a list of names.
        together = slice(numbers[0], numbers[-1])
        usual = None if missing else "mean"
        wanted = [job.impute.get(feature.name, usual) for feature, _, _ in number_columns(features)]
        least = missing_values.least_known(estimator, rows, job.params)
        of_numbers = Numbers(wanted, scale=estimator.scale, row_major=estimator.row_major, least_known=least)
        columns.append(("numbers", of_numbers, together))
    names = dict(text_columns(features))
    if job.texts:
        texts = Texts(one_hot=one_hot, nowhere=np.nan if missing else -1.0)
        columns.append(("texts", texts, [names[feature] for feature in job.texts]))
    if job.coded:
        encodings = [job.encode[feature.name] for feature in job.coded]
        of_codes: list[tuple[str, Any]] = [("encode", Codes(encodings, seed=job.seed))]
        of_codes += [("scale", StandardScaler())] if estimator.scale else []
        columns.append(("codes", Pipeline(of_codes), [names[feature] for feature in job.coded]))
    if of_flags := _flag_columns(estimator, job):
        # A flag is only added for features that have gaps in the training rows; elsewhere it would be constant.
        columns.append(("flags", MissingIndicator(sparse=False, error_on_new=False), list(of_flags.values())))
    found: list[tuple[str, Any]] = [("prepare", Columns(columns))]
    if estimator.single:
        found.append(("clip", FunctionTransformer(within_float32)))
    return found


def check(estimator: Estimator, job: Job, train: pd.DataFrame, labels: tuple[Any, ...]) -> None:
    """Raises SqlmlError SQLML_FEATURE_UNUSABLE if numbers are so large that their mean, or with scaling their variance,
    is infinite; SQLML_OPTION_INVALID for target encoding of a target without a mean."""
    features = job.signature.features
    missing = _takes_missing(estimator, job)
    for feature, _, name in number_columns(features):
        if missing and feature.name not in job.impute:
            continue
        values = train[name].to_numpy()
        with np.errstate(over="ignore"):
            total = np.nansum(np.square(values) if estimator.scale else values)
        if not np.isfinite(total):
            raise SqlmlError(
                "SQLML_FEATURE_UNUSABLE",
                f"The values of {feature.name} are so large that their mean or their variance is infinite.",
                hint="Divide the column, or take its logarithm, in the query.",
            )
    label_options.check_encodings(job, labels)


def learned(fitted: ColumnTransformer, estimator: Estimator, job: Job) -> Preparation:
    """The Preparation of a fitted ColumnTransformer."""
    flags: tuple[str, ...] = ()
    if of_flags := list(_flag_columns(estimator, job)):
        flags = tuple(of_flags[index] for index in fitted.named_transformers_["flags"].features_)
    return Preparation(_numbers(fitted, job.signature.features), _categories(fitted, job), _codes(fitted, job), flags)


def _takes_missing(estimator: Estimator, job: Job) -> bool:
    return missing_values.are_taken(estimator, job.signature.task, job.params)


def _flag_columns(estimator: Estimator, job: Job) -> dict[str, str]:
    """Feature → a numeric column that is missing if and only if the feature is; any part of a date will do."""
    flagged = job.flagged(missing=_takes_missing(estimator, job))
    return {feature.name: name for feature, _, name in number_columns(job.signature.features) if feature in flagged}


def _numbers(fitted: ColumnTransformer, features: Sequence[Feature]) -> tuple[NumberColumn, ...]:
    columns = number_columns(features)
    if not columns:
        return ()
    prepared = fitted.named_transformers_["numbers"]
    learned = zip(columns, prepared.values_, prepared.mean_, prepared.scale_, strict=True)
    return tuple(
        NumberColumn(feature.name, part, value, float(mean), float(scale))
        for (feature, part, _), value, mean, scale in learned
    )


def _categories(fitted: ColumnTransformer, job: Job) -> tuple[CategoryColumn, ...]:
    if not job.texts:
        return ()
    found = []
    for feature, encoder in zip(job.texts, fitted.named_transformers_["texts"].encoders_, strict=True):
        rare = encoder.infrequent_categories_[0]
        left_out = set() if rare is None else set(rare)
        kept = tuple(str(name) for name in encoder.categories_[0] if name not in left_out)
        found.append(CategoryColumn(feature.name, kept, other=bool(left_out)))
    return tuple(found)


def _codes(fitted: ColumnTransformer, job: Job) -> tuple[CodeColumn, ...]:
    """The codes with the scaling applied once per category, which is the same arithmetic."""
    if not job.coded:
        return ()
    of_codes = fitted.named_transformers_["codes"].named_steps
    means, scales = np.zeros(len(job.coded)), np.ones(len(job.coded))
    if "scale" in of_codes:
        means, scales = of_codes["scale"].mean_, of_codes["scale"].scale_
    parts = zip(job.coded, of_codes["encode"].learned(), means, scales, strict=True)
    return tuple(
        CodeColumn(
            feature.name,
            job.encode[feature.name],
            tuple(categories),
            tuple(((codes - mean) / scale).tolist()),
            float((default - mean) / scale),
        )
        for feature, (categories, codes, default), mean, scale in parts
    )
