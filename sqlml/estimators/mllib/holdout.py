"""Train/test split and cross-validation folds on the cluster: the rules of `sklearn.split`, expressed as thresholds of
keys instead of indices in a sorted array."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sqlml.estimators.mllib import columns
from sqlml.estimators.mllib import ranks as mllib_ranks
from sqlml.jobs.job import BY_COLUMN, LEAST_ROWS_TO_SPLIT, NO_SPLIT, SEQUENTIAL, SHARE_OF_ONE_FOLD, Job
from sqlml.signature import NUMBER, Feature, kind_of


def held_out(job: Job, rows: DataFrame, stratum: Column, counts: Sequence[int]) -> tuple[Column, list[int]]:
    """A condition that a row is held out, and the number of held-out rows of each class.

    Args:
        rows: has `key`, and `s` if the job has a split column.
        stratum: the class index; 0 without classes.
        counts: the number of rows of each class.
    """
    if job.split_method == NO_SPLIT:
        return F.lit(False), [0] * len(counts)
    if job.split_method in (BY_COLUMN, SEQUENTIAL):
        condition = F.coalesce("s", F.lit(False)) if job.split_method == BY_COLUMN else _last(rows, job, sum(counts))
        found = dict(rows.where(condition).groupBy(stratum.alias("stratum")).count().collect())
        return condition, [found.get(index, 0) for index in range(len(counts))]
    shares = _stratified(counts, job.test_fraction)
    if not any(shares):
        return F.lit(False), shares
    return _reached(rows, F.col("key"), stratum, counts, [[share] for share in shares])[0], shares


def _stratified(counts: Sequence[int], fraction: float) -> list[int]:
    """The number of rows to hold out of each class: every 1/fraction-th row, class after class. A class is never held
    out entirely, because the model must know it."""
    if sum(counts) < LEAST_ROWS_TO_SPLIT:
        return [0] * len(counts)
    found, before = [], 0
    for count in counts:
        share = math.floor((before + count) * fraction) - math.floor(before * fraction)
        found.append(min(share, count - 1))
        before += count
    return found


def _reached(
    rows: DataFrame, keys: Column, stratum: Column, counts: Sequence[int], ranks: Sequence[Sequence[int]]
) -> list[Column]:
    """For each index into the ranks, a condition that a row is among the first `rank` rows of its class."""
    thresholds = mllib_ranks.of_keys(rows, keys, stratum, counts, ranks)
    return [mllib_ranks.reached(keys, stratum, list(limits)) for limits in zip(*thresholds, strict=True)]


def _last(rows: DataFrame, job: Job, count: int) -> Column:
    """A condition for the last rows by the split column. Rows without a sort key come first; ties are broken by the
    keys."""
    held = int(count * job.test_fraction)
    if held == 0:
        return F.lit(False)
    kind = rows.schema["s"].dataType.simpleString()
    order = F.col("s").cast("double")
    if kind_of(kind) != NUMBER:
        order = columns.seconds(F.col("s"), Feature("s", kind))
    order = F.coalesce(F.nanvl(order, F.lit(-math.inf)), F.lit(-math.inf))
    first = count - held + 1
    ((ranked,),) = mllib_ranks.of_values(rows, [order], [count], [(first,)], first / count)
    after = order > F.lit(ranked.value)
    learned = first - 1 - ranked.below
    ties = rows.where(order == F.lit(ranked.value))
    (early,) = _reached(ties, F.col("key"), F.lit(0), [ranked.equal], [[learned]])
    return after | ((order == F.lit(ranked.value)) & ~early)


def folds(rows: DataFrame, stratum: Column, counts: Sequence[int], count: int) -> Iterator[tuple[Column, list[int]]]:
    """Yields for each fold a condition for its rows, and their number by class. One fold is a fifth of the rows.

    Args:
        rows: the training rows.
    """
    # A fresh hash of the key: the original keys decided what is held out, so those left are not uniform.
    keys = mllib_ranks.key(F.col("key"), F.lit("folds"))
    if count == 1:
        shares = _stratified(counts, SHARE_OF_ONE_FOLD)
        if any(shares):
            yield _reached(rows, keys, stratum, counts, [[share] for share in shares])[0], shares
        return
    sizes, before = [], 0
    for of_class in counts:
        # The sizes as if the rows, class after class, were dealt to the folds in turn.
        sizes.append(
            [
                (before + of_class - fold + count - 1) // count - (before - fold + count - 1) // count
                for fold in range(count)
            ]
        )
        before += of_class
    ends = [[sum(of_class[: fold + 1]) for fold in range(count)] for of_class in sizes]
    upto = _reached(rows, keys, stratum, counts, ends)
    # A class of one row stays in the training rows.
    alone = [index for index, of_class in enumerate(counts) if of_class == 1]
    for fold in range(count):
        held = upto[fold] & ~upto[fold - 1] if fold else upto[0]
        yield (
            held & ~stratum.isin(alone) if alone else held,
            [0 if index in alone else of_class[fold] for index, of_class in enumerate(sizes)],
        )
