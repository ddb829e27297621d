"""Exact order statistics of distributed rows (k-th values, medians), in two or three aggregates instead of a sort.

Only values near the wanted rank come to the driver: rows that are certainly below are counted, and the few around it
are sorted there.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_KEYS = 2**63
# The error of Spark's estimated quantiles, as a share of the rows.
_ERROR = 0.0005
# Up to this many rows need no estimate: all their values are counted.
_FEW = 10_000


@dataclass(frozen=True)
class RankedValue:
    """The value at a rank, the number of smaller values, and the number of equal ones."""

    value: float
    below: int
    equal: int


def key(*content: Column) -> Column:
    """A hash of the content, uniform over 0 … 2⁶³ - 1."""
    return F.shiftrightunsigned(F.xxhash64(*content), 1)


def of_keys(
    rows: DataFrame, keys: Column, strata: Column, counts: Sequence[int], ranks: Sequence[Sequence[int]]
) -> list[list[int]]:
    """For each stratum and each rank r, the r-th smallest key: exactly r rows of the stratum have at most that key; -1
    for r = 0.

    Keys are uniform, so the r-th of n is near r/n of their range: the number of keys below r/n has a standard deviation
    of at most √n/2, and the search covers 8 of them to each side. About 8·√n keys per stratum and rank are collected.

    Args:
        keys: made by `key`, unique within each stratum.
        strata: the index of a row's stratum, from 0.
        counts: the number of rows of each stratum.
        ranks: for each stratum the same number of ranks, from 0 to its count.
    """
    near = [[_near(rank, count) for rank in wanted] for count, wanted in zip(counts, ranks, strict=True)]
    found = _at(rows, keys, strata, near, ranks)
    if any(None in thresholds for thresholds in found):
        # A fallback for keys that are not uniform; no such data are known.
        everywhere = [[(0, _KEYS - 1) for _ in wanted] for wanted in ranks]
        found = _at(rows, keys, strata, everywhere, ranks)
    return [[threshold for threshold in thresholds if threshold is not None] for thresholds in found]


def reached(keys: Column, strata: Column, thresholds: Sequence[int]) -> Column:
    """A condition that a row's key is at most its stratum's threshold."""
    return keys <= _by_stratum(strata, thresholds)


def _near(rank: int, count: int) -> tuple[int, int]:
    """The range of keys in which the key of a rank lies almost certainly."""
    if rank == 0:
        return _KEYS - 1, 0
    margin = 4.0 * math.sqrt(count) + 20.0
    low, high = (min(max((rank + side) / count, 0.0), 1.0) for side in (-margin, margin))
    return int(low * (_KEYS - 1)), min(int(high * (_KEYS - 1)), _KEYS - 1)


def _at(
    rows: DataFrame,
    keys: Column,
    strata: Column,
    near: Sequence[Sequence[tuple[int, int]]],
    ranks: Sequence[Sequence[int]],
) -> list[list[int | None]]:
    """The keys at the ranks, from the keys within the given ranges; None for a rank outside of its range."""
    aggregates = []
    for at in range(len(ranks[0])):
        low, high = (_by_stratum(strata, [pairs[at][end] for pairs in near]) for end in (0, 1))
        aggregates.append(F.count_if(keys < low).alias(f"below{at}"))
        aggregates.append(F.collect_list(F.when(keys.between(low, high), keys)).alias(f"near{at}"))
    by_stratum = {row["stratum"]: row for row in rows.groupBy(strata.alias("stratum")).agg(*aggregates).collect()}
    found: list[list[int | None]] = []
    for stratum, wanted in enumerate(ranks):
        found.append([])
        for at, rank in enumerate(wanted):
            row = by_stratum[stratum] if rank else {}
            around = sorted(row[f"near{at}"]) if rank else []
            position = rank - row[f"below{at}"] - 1 if rank else 0
            inside = around[position] if 0 <= position < len(around) else None
            found[-1].append(inside if rank else -1)
    return found


def _by_stratum(strata: Column, values: Sequence[int]) -> Column:
    """A column with a number for each stratum."""
    if len(values) == 1:
        return F.lit(values[0]).cast("bigint")
    return F.get(F.array(*map(F.lit, values)).cast("array<bigint>"), strata)


def of_values(
    frame: DataFrame, values: Sequence[Column], counts: Sequence[int], ranks: Sequence[Sequence[int]], share: float
) -> list[list[RankedValue]]:
    """The values at the given ranks (from 1) of each column.

    Args:
        values: doubles without NaN; NULL has no rank.
        counts: the number of values of each column.
        ranks: the ranks for each column.
        share: the quantile around which all ranks lie, as a share of the counts.
    """
    named = frame.select(*[value.alias(f"v{k}") for k, value in enumerate(values)])
    bounds, below = [(-math.inf, math.inf)] * len(values), [0] * len(values)
    # Columns with many values: bracket the quantile by estimates, and count the values below the bracket.
    many = [k for k, count in enumerate(counts) if count > _FEW]
    if many:
        ends = [min(max(share + side * 3 * _ERROR, 0.0), 1.0) for side in (-1, 1)]
        for k, (low, high) in zip(many, named.approxQuantile([f"v{k}" for k in many], ends, _ERROR), strict=True):
            bounds[k] = (low, high)
        smaller = [F.count_if(F.col(f"v{k}") < F.lit(low)) for k, (low, _) in enumerate(bounds)]
        below = list(named.agg(*smaller).first() or below)
    inside = [
        F.when(
            F.col(f"v{k}").between(F.lit(low), F.lit(high)), F.struct(F.lit(k).alias("k"), F.col(f"v{k}").alias("v"))
        )
        for k, (low, high) in enumerate(bounds)
    ]
    # Collect and count the distinct values inside of the brackets, and walk through them in order.
    pairs = named.select(F.explode(F.array(*inside)).alias("pair")).where("pair IS NOT NULL")
    around: list[Counter[float]] = [Counter() for _ in values]
    counted = pairs.groupBy("pair.k", "pair.v").count().toArrow()
    for k, value, count in zip(*(column.to_pylist() for column in counted.columns), strict=True):
        around[k][value] = count
    return [_ranked(around[k], below[k], wanted) for k, wanted in enumerate(ranks)]


def _ranked(around: Counter[float], below: int, ranks: Sequence[int]) -> list[RankedValue]:
    found: dict[int, RankedValue] = {}
    for value in sorted(around):
        equal = around[value]
        found |= {rank: RankedValue(value, below, equal) for rank in ranks if below < rank <= below + equal}
        below += equal
    return [found[rank] for rank in ranks]


def medians(frame: DataFrame, values: Sequence[Column], counts: Sequence[int]) -> list[float]:
    """The median of each column; the mean of the middle two for an even number of values, 0 without values."""
    ranks = [((count + 1) // 2, count // 2 + 1) if count else () for count in counts]
    middles = of_values(frame, values, counts, ranks, 0.5)
    return [(middle[0].value + middle[1].value) / 2.0 if middle else 0.0 for middle in middles]
