"""Which rows MLlib is measured on: the rules of `sklearn.split`, by thresholds instead of places in a sorted list."""

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
    """Whether a row is held out, and how many rows of each class are.

    Args:
        rows: has `key`, and `s` where the job has a split column.
        stratum: the class's position; 0 where there are no classes.
        counts: how many rows each class has.
    """
    if job.split_method == NO_SPLIT:
        return F.lit(False), [0] * len(counts)
    if job.split_method in (BY_COLUMN, SEQUENTIAL):
        said = F.coalesce("s", F.lit(False)) if job.split_method == BY_COLUMN else _last(rows, job, sum(counts))
        found = dict(rows.where(said).groupBy(stratum.alias("stratum")).count().collect())
        return said, [found.get(place, 0) for place in range(len(counts))]
    shares = _stratified(counts, job.test_fraction)
    if not any(shares):
        return F.lit(False), shares
    return _reached(rows, F.col("key"), stratum, counts, [[share] for share in shares])[0], shares


def _stratified(counts: Sequence[int], fraction: float) -> list[int]:
    """How many of each class: every 1/fraction-th of the rows, class after class; a class is never held out whole, for
    a model must know it."""
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
    """For each place of the ranks whether a row is among so many of its class."""
    thresholds = mllib_ranks.of_keys(rows, keys, stratum, counts, ranks)
    return [mllib_ranks.reached(keys, stratum, list(place)) for place in zip(*thresholds, strict=True)]


def _last(rows: DataFrame, job: Job, count: int) -> Column:
    """The last rows in the column's order. What has no place in it comes first; of equal rows the keys decide."""
    held = int(count * job.test_fraction)
    if held == 0:
        return F.lit(False)
    kind = rows.schema["s"].dataType.simpleString()
    order = F.col("s").cast("double")
    if kind_of(kind) != NUMBER:
        order = columns.seconds(F.col("s"), Feature("s", kind))
    order = F.coalesce(F.nanvl(order, F.lit(-math.inf)), F.lit(-math.inf))
    first = count - held + 1
    ((place,),) = mllib_ranks.of_values(rows, [order], [count], [(first,)], first / count)
    after = order > F.lit(place.value)
    learned = first - 1 - place.below
    ties = rows.where(order == F.lit(place.value))
    (early,) = _reached(ties, F.col("key"), F.lit(0), [place.equal], [[learned]])
    return after | ((order == F.lit(place.value)) & ~early)


def folds(rows: DataFrame, stratum: Column, counts: Sequence[int], count: int) -> Iterator[tuple[Column, list[int]]]:
    """Each fold's rows, and how many of each class they are. With one fold it is a fifth of the rows, once.

    Args:
        rows: those that are not held out.
    """
    # Another key than the one that has decided what is held out: of what is left that one is not evenly spread.
    keys = mllib_ranks.key(F.col("key"), F.lit("folds"))
    if count == 1:
        shares = _stratified(counts, SHARE_OF_ONE_FOLD)
        if any(shares):
            yield _reached(rows, keys, stratum, counts, [[share] for share in shares])[0], shares
        return
    sizes, before = [], 0
    for of_class in counts:
        # As if the rows, class after class, were dealt to the folds in turn.
        sizes.append(
            [
                (before + of_class - fold + count - 1) // count - (before - fold + count - 1) // count
                for fold in range(count)
            ]
        )
        before += of_class
    ends = [[sum(of_class[: fold + 1]) for fold in range(count)] for of_class in sizes]
    upto = _reached(rows, keys, stratum, counts, ends)
    # A class of one row stays where it can be learned.
    alone = [place for place, of_class in enumerate(counts) if of_class == 1]
    for fold in range(count):
        held = upto[fold] & ~upto[fold - 1] if fold else upto[0]
        yield (
            held & ~stratum.isin(alone) if alone else held,
            [0 if place in alone else of_class[fold] for place, of_class in enumerate(sizes)],
        )
