"""Requirements of the estimators on the training rows, checked before the fit. The libraries report them late, by class
and column index, or not at all.

`_CHECKS` lists the checks of single estimators; `target_ranges` knows for which targets a loss is defined. All raise
SqlmlError SQLML_FEATURE_UNUSABLE, SQLML_OPTION_INVALID, SQLML_TARGET_INVALID or SQLML_TOO_FEW_ROWS with a remedy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sqlml.errors import SqlmlError
from sqlml.estimators import target_ranges
from sqlml.estimators.estimator import Estimator
from sqlml.estimators.sklearn.rows import number_columns
from sqlml.jobs.job import Job

# scikit-learn's default number of folds for stacking.
_FOLDS = 5
# What is cross-validated, where it is no penalty.
_CROSS_VALIDATED = {"calibrated_classifier_cv": "its probabilities", "lars_cv": "its steps", "stacking": "its members"}
_MOST_NAMES_SHOWN = 8


@dataclass(frozen=True)
class Fit:
    """An estimator and the rows it is about to be fitted to.

    Attributes:
        params: the hyperparameters that the library will use, defaults included.
        frame: the training rows before the preparation.
        x: the prepared matrix [rows, columns].
        target: label indices, or the numbers to predict.
    """

    estimator: Estimator
    job: Job
    params: dict[str, Any]
    frame: pd.DataFrame
    x: NDArray[np.float64]
    target: NDArray[Any]
    labels: tuple[Any, ...]

    @property
    def name(self) -> str:
        return self.estimator.name

    @property
    def counts(self) -> list[int]:
        """The number of training rows of each label."""
        return np.bincount(self.target, minlength=len(self.labels)).tolist() if self.labels else []

    @property
    def rarest(self) -> tuple[Any, int]:
        """The label with the fewest rows, and their number."""
        index = int(np.argmin(self.counts))
        return self.labels[index], self.counts[index]

    @property
    def features(self) -> str:
        """The feature names for a message, abbreviated if there are many."""
        names = self.job.signature.names
        return ", ".join(names[:_MOST_NAMES_SHOWN]) + (", …" if len(names) > _MOST_NAMES_SHOWN else "")


def check(fit: Fit) -> None:
    """Raises SqlmlError if it is clear before the fit that the estimator cannot be fitted to these rows."""
    if fit.job.signature.target is not None and not fit.labels:
        least, most = float(np.min(fit.target)), float(np.max(fit.target))
        target_ranges.check(fit.estimator, fit.job, least, most)
    if fit.estimator.counts:
        _nothing_negative(fit)
    for needs in _CHECKS.get(fit.estimator.noun, ()):
        needs(fit)


def _rows_of_each_label(fit: Fit, least: int, why: str) -> None:
    """Raises SqlmlError SQLML_TOO_FEW_ROWS if a label has fewer than `least` training rows."""
    label, count = fit.rarest
    if count < least:
        rows = f"{count} row{'s' * (count != 1)}"
        raise SqlmlError(
            "SQLML_TOO_FEW_ROWS",
            f"{fit.name} {why}, so it needs at least {least} training rows of each label, but the label {label!r} of"
            f" {fit.job.signature.target} has {rows}.",
            hint="Leave out such rows in the query, merge rare labels into one, or use another estimator.",
        )


def _folds(fit: Fit) -> None:
    """Stacking cross-validates its members, and others their penalty: they need enough rows for their folds."""
    folds = fit.params.get("cv")
    folds = _FOLDS if folds is None else folds
    if not isinstance(folds, int) or isinstance(folds, bool) or folds < 2:
        raise SqlmlError("SQLML_OPTION_INVALID", f"cv must be an integer from 2, not {folds!r}.")
    what = _CROSS_VALIDATED.get(fit.estimator.noun, "its penalty")
    if fit.labels:
        _rows_of_each_label(fit, 2, f"cross-validates {what} in {folds} folds")
    largest = max(fit.counts) if fit.labels else len(fit.x)
    if largest < folds:
        of = "the most frequent label has only" if fit.labels else "there are only"
        raise SqlmlError(
            "SQLML_TOO_FEW_ROWS",
            f"{fit.name} cross-validates {what} in {folds} folds, but {of} {largest} training rows.",
            hint=f"Use OPTIONS (cv = {largest}), or train on more rows." if largest >= 2 else "Train on more rows.",
        )


def _early_stopping(fit: Fit) -> None:
    """Early stopping holds out a stratified sample, so it needs rows of every label."""
    stops = fit.params.get("early_stopping") is True or fit.params.get("n_iter_no_change") is not None
    if fit.estimator.noun != "gradient_boosting":
        stops = fit.params.get("early_stopping") is True
    if not stops or not fit.labels:
        return
    _rows_of_each_label(fit, 2, "holds out rows for early stopping")
    share = fit.params.get("validation_fraction", 0.1)
    rows = len(fit.x)
    if isinstance(share, float) and 0.0 < share < 1.0 and math.ceil(rows * share) < len(fit.labels):
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"{fit.name} holds out {math.ceil(rows * share)} of {rows} rows for early stopping, but"
            f" {fit.job.signature.target} has {len(fit.labels)} labels.",
            hint="Raise validation_fraction, or switch off early stopping.",
        )


def _full_rank(fit: Fit) -> None:
    """Quadratic discriminant analysis estimates a covariance matrix of each label, which needs more rows than
    columns."""
    _rows_of_each_label(fit, 2, "estimates a covariance matrix for each label")
    width = fit.x.shape[1]
    label, count = fit.rarest
    if fit.params.get("solver", "svd") == "svd" and count <= width:
        other = (
            "Use OPTIONS (solver = 'eigen', shrinkage = 0.1), which needs fewer rows." if "solver" in fit.params else ""
        )
        raise SqlmlError(
            "SQLML_TOO_FEW_ROWS",
            f"{fit.name} estimates a covariance matrix of {width} columns for each label, so it needs more than"
            f" {width} training rows of each label, but the label {label!r} of {fit.job.signature.target} has"
            f" {count}. The columns come from {fit.features}, where each category of a text is one column.",
            hint=" ".join(filter(None, ["Leave out features or labels in the query.", other])),
        )


def _features_that_vary(fit: Fit) -> None:
    """Linear discriminant analysis fails if every feature is constant."""
    if not (fit.x.max(axis=0) > fit.x.min(axis=0)).any():
        raise SqlmlError(
            "SQLML_FEATURE_UNUSABLE",
            f"{fit.name} separates labels by features, but none of {fit.features} has two different values in the"
            " training rows.",
            hint="Add a feature that varies.",
        )


def _more_rows_than_labels(fit: Fit) -> None:
    """Linear discriminant analysis needs more rows than labels to estimate the within-class covariance."""
    if len(fit.x) <= len(fit.labels):
        raise SqlmlError(
            "SQLML_TOO_FEW_ROWS",
            f"{fit.name} needs more training rows than labels, but there are {len(fit.x)} rows and {len(fit.labels)}"
            f" labels of {fit.job.signature.target}.",
            hint="Merge rare labels into one in the query, or use another estimator.",
        )


def _feasible_nu(fit: Fit) -> None:
    """nu bounds the share of support vectors from below, and each label of a pair must provide half of them. So nu can
    be at most 2 min(a, b) / (a + b) for labels of a and b rows."""
    nu = fit.params.get("nu", 0.5)
    if not fit.labels or fit.params.get("class_weight") is not None or not isinstance(nu, (int, float)):
        return
    pairs = [(2.0 * min(a, b) / (a + b), pair) for a, b, pair in _pairs(fit.counts)]
    largest, (first, second) = min(pairs)
    if nu > largest:
        # Rounded down, so that the proposed value is feasible.
        proposed = math.floor(largest * 1_000) / 1_000
        names = " and ".join(f"{fit.labels[one]!r} ({fit.counts[one]} rows)" for one in (first, second))
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"{fit.name} with nu = {nu} cannot separate {names} of {fit.job.signature.target}, because nu can be at"
            f" most {largest:.3g} for labels as unbalanced as these.",
            hint=f"Use OPTIONS (nu = {proposed})."
            if proposed > 0
            else "Use the estimator svm, which has no such limit.",
        )


def _pairs(counts: list[int]) -> list[tuple[int, int, tuple[int, int]]]:
    return [(counts[a], counts[b], (a, b)) for a, b in combinations(range(len(counts)), 2)]


def _as_many_rows(option: str) -> Callable[[Fit], None]:
    """A check that the value of an option is at most the number of training rows."""

    def check_rows(fit: Fit) -> None:
        wanted = fit.params.get(option)
        if isinstance(wanted, int) and not isinstance(wanted, bool) and wanted > len(fit.x):
            raise SqlmlError(
                "SQLML_TOO_FEW_ROWS",
                f"{fit.name} with {option} = {wanted} needs at least {wanted} training rows, but there are"
                f" {len(fit.x)}.",
                hint=f"Use OPTIONS ({option} = {len(fit.x)}) or less.",
            )

    return check_rows


def _as_many_columns(option: str, *, and_rows: bool = False) -> Callable[[Fit], None]:
    """A check that the value of an option is at most the number of prepared columns, or of rows too with `and_rows`."""

    def check_columns(fit: Fit) -> None:
        wanted, most = fit.params.get(option), min(fit.x.shape) if and_rows else fit.x.shape[1]
        if isinstance(wanted, int) and not isinstance(wanted, bool) and wanted > most:
            found = f"{fit.x.shape[1]} columns" + (f" and {len(fit.x)} rows" if and_rows else "")
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"{option} = {wanted} is too large for {fit.name}, which has {found} from {fit.features}.",
                hint=f"Use OPTIONS ({option} = {most}) or less.",
            )

    return check_columns


def _nothing_negative(fit: Fit) -> None:
    """An estimator of counts takes no negative features."""
    if not (fit.x < 0.0).any():
        return
    columns = number_columns(fit.job.signature.features)
    negative = [feature.name for feature, _, name in columns if (fit.frame[name] < 0.0).any()]
    shown = ", ".join(dict.fromkeys(negative)) or fit.features
    raise SqlmlError(
        "SQLML_FEATURE_UNUSABLE",
        f"{fit.name} learns from counts, but {shown} has negative values.",
        hint="Leave out such features, or use gaussian_naive_bayes.",
    )


_CHECKS: dict[str, tuple[Callable[[Fit], None], ...]] = {
    "bayesian_gaussian_mixture": (_as_many_rows("n_components"),),
    "bisecting_k_means": (_as_many_rows("n_clusters"),),
    "calibrated_classifier_cv": (_folds,),
    "elastic_net_cv": (_folds,),
    "gaussian_mixture": (_as_many_rows("n_components"),),
    "gradient_boosting": (_early_stopping,),
    "hist_gradient_boosting": (_early_stopping,),
    "k_means": (_as_many_rows("n_clusters"),),
    "k_neighbors": (_as_many_rows("n_neighbors"),),
    "lars_cv": (_folds,),
    "lasso_cv": (_folds,),
    "lasso_lars_cv": (_folds,),
    "linear_discriminant_analysis": (_features_that_vary, _more_rows_than_labels),
    "logistic_regression_cv": (_folds,),
    "mini_batch_k_means": (_as_many_rows("n_clusters"),),
    "neural_network": (_early_stopping,),
    "nu_svm": (_feasible_nu,),
    "orthogonal_matching_pursuit": (_as_many_columns("n_nonzero_coefs"),),
    "orthogonal_matching_pursuit_cv": (_folds,),
    "passive_aggressive": (_early_stopping,),
    "pca": (_as_many_columns("n_components", and_rows=True),),
    "perceptron": (_early_stopping,),
    "pls_regression": (_as_many_columns("n_components", and_rows=True),),
    "quadratic_discriminant_analysis": (_full_rank,),
    "sgd": (_early_stopping,),
    "stacking": (_folds,),
    "truncated_svd": (_as_many_columns("n_components"),),
}
