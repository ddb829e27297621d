"""Train/test split, cross-validation folds and sample weights for scikit-learn, CatBoost, LightGBM and XGBoost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sqlml.estimators import label_options
from sqlml.jobs.job import BY_COLUMN, LEAST_ROWS_TO_SPLIT, NO_SPLIT, SEQUENTIAL, SHARE_OF_ONE_FOLD, Job
from sqlml.scoring.feature_values import values
from sqlml.signature import Feature

if TYPE_CHECKING:
    from sqlml.estimators.sklearn.rows import Part, Rows


def held_out(
    job: Job, table: pa.Table, order: NDArray[np.int64], targets: NDArray[Any], labels: tuple[Any, ...]
) -> NDArray[np.bool_]:
    """A mask of the held-out rows, in the given order.

    Args:
        order: [rows] indices of the table's rows in the order of their hashes.
        targets: [rows] targets in that order; label indices for a classification.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID if a column holds out all rows, or all rows of a class.
    """
    if job.split_method == NO_SPLIT:
        return np.zeros(len(order), dtype=bool)
    if job.split_method == BY_COLUMN:
        marked = table.column(job.split_column).fill_null(False).to_numpy()[order]
        return _checked(marked.astype(bool), job, targets, labels)
    if job.split_method == SEQUENTIAL:
        kind = _type(table.column(job.split_column).type)
        keys = values(Feature(job.split_column or "", kind), table.column(job.split_column))[order]
        # Rows without a sort key are training rows; equal keys stay in the order of the hashes.
        ranks = np.argsort(np.where(np.isnan(keys), -np.inf, keys), kind="stable")
        held = np.zeros(len(order), dtype=bool)
        held[ranks[len(order) - int(len(order) * job.test_fraction) :]] = True
        return _checked(held, job, targets, labels)
    strata = targets if labels else np.zeros(len(targets), dtype=np.int64)
    return stratified(strata, job.test_fraction)


def _type(arrow: pa.DataType) -> str:
    if pa.types.is_date(arrow):
        return "date"
    return "timestamp" if pa.types.is_timestamp(arrow) else "double"


def _checked(held: NDArray[np.bool_], job: Job, targets: NDArray[Any], labels: tuple[Any, ...]) -> NDArray[np.bool_]:
    """The mask, after a check that rows of every class are left to train on."""
    strata = targets[~held] if labels else np.zeros(int(np.sum(~held)), dtype=np.int64)
    label_options.check_learned(job, np.bincount(strata, minlength=max(len(labels), 1)).tolist(), labels)
    return held


def stratified(strata: NDArray[np.int64], fraction: float) -> NDArray[np.bool_]:
    """A mask of every 1/fraction-th row of each class. A class is never held out entirely, because the model must know
    it."""
    rows = len(strata)
    held = np.zeros(rows, dtype=bool)
    if rows < LEAST_ROWS_TO_SPLIT:
        return held
    by_class = np.argsort(strata, kind="stable")
    steps = np.floor(np.arange(1, rows + 1) * fraction)
    held[by_class] = np.diff(steps, prepend=0.0) > 0.0
    _, first = np.unique(strata[by_class], return_index=True)
    for row in by_class[first]:
        held[row] &= not held[strata == strata[row]].all()
    return held


def folds(rows: Rows, count: int) -> Iterator[Rows]:
    """Cuts the training rows into stratified folds; yields the rows once for each fold, with that fold held out.

    With one fold a fifth of the rows is held out once.
    """
    strata = _strata(rows.learned, rows.labels)
    if count == 1:
        yield _cut(rows, stratified(strata, SHARE_OF_ONE_FOLD))
        return
    # The rows are in the order of their hashes, so every count-th row of a class is a fair sample of it.
    ranks = np.empty(len(strata), dtype=np.int64)
    ranks[np.argsort(strata, kind="stable")] = np.arange(len(strata))
    for fold in range(count):
        held = ranks % count == fold
        for label in np.unique(strata[held]):
            # A class with fewer rows than folds stays in the training rows.
            held[strata == label] &= not held[strata == label].all()
        yield _cut(rows, held)


def latest(rows: Rows, job: Job, read: Callable[[Job], Rows]) -> Rows:
    """For a sequential split: the training rows with their last fifth held out.

    Args:
        read: reads the same rows for a job with another test_fraction.
    """
    more = job.test_fraction + (1.0 - job.test_fraction) * SHARE_OF_ONE_FOLD
    late = read(replace(job, test_fraction=more)).held_out.source
    return _cut(rows, np.isin(rows.learned.source, late))


def sampled(part: Part, count: int, labels: tuple[Any, ...]) -> Part:
    """A stratified sample of `count` rows, at least one of each class; all rows if there are no more."""
    if len(part) <= count:
        return part
    strata = _strata(part, labels)
    kept = stratified(strata, count / len(part))
    _, first = np.unique(strata, return_index=True)
    kept[first] = True
    return part.at(np.flatnonzero(kept))


def _strata(part: Part, labels: tuple[Any, ...]) -> NDArray[np.int64]:
    return part.target if labels else np.zeros(len(part), dtype=np.int64)


def _cut(rows: Rows, held: NDArray[np.bool_]) -> Rows:
    """The training rows, some of them held out."""
    learned = rows.learned
    return replace(rows, learned=learned.at(np.flatnonzero(~held)), held_out=learned.at(np.flatnonzero(held)))


def weights(
    job: Job,
    table: pa.Table,
    order: NDArray[np.int64],
    targets: NDArray[Any],
    labels: tuple[Any, ...],
    held: NDArray[np.bool_],
) -> NDArray[np.float64] | None:
    """The sample weights: weight column times class weight. `BALANCED` counts the training rows only.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for a weight that is missing, negative or infinite, or an unknown label.
    """
    found: NDArray[np.float64] | None = None
    if job.weight_column is not None:
        found = values(Feature(job.weight_column, "double"), table.column(job.weight_column))[order]
        if not np.isfinite(found).all() or (found < 0).any() or not found.any():
            raise label_options.unusable_weights(job)
    if job.class_weights is not None:
        counts = np.bincount(targets[~held], minlength=len(labels)).tolist()
        of_class = np.array(label_options.of_classes(job.class_weights, counts, labels))[targets]
        found = of_class if found is None else found * of_class
    return found
