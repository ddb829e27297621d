"""Which value has a given place in an order of rows that no single machine sorts: exact, in two or three aggregates.

Only values near the place come to the driver: the rows that are certainly below it are counted, the few around it are
sorted here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_KEYS = 2**63
# How far an estimated quantile may lie from the place that was asked for, as a share of the rows.
_ERROR = 0.0005
# So many rows need no estimate: their values are counted at once.
_FEW = 10_000


@dataclass(frozen=True)
class Place:
    """The value at a place, how many are smaller than it and how many are equal to it."""

    value: float
    below: int
    equal: int


def key(*content: Column) -> Column:
    """A hash of the content that is evenly spread over 0 … 2⁶³ - 1."""
    return F.shiftrightunsigned(F.xxhash64(*content), 1)


def of_keys(
    rows: DataFrame, keys: Column, strata: Column, counts: Sequence[int], ranks: Sequence[Sequence[int]]
) -> list[list[int]]:
    """For each stratum and each of its ranks r the key that r rows of the stratum reach at most; -1 for r = 0.

    The keys are evenly spread, so the r-th of n is near r/n of their range: within 8 standard deviations, of which none
    is more than √n/2 rows. About 8·√n keys of a stratum are collected for each rank.

    Args:
        keys: from `key`, different ones in each stratum.
        strata: an integer from 0.
        counts: how many rows each stratum has.
        ranks: as many for each stratum, from 0 to its count.
    """
    near = [[_near(rank, count) for rank in wanted] for count, wanted in zip(counts, ranks, strict=True)]
    found = _at(rows, keys, strata, near, ranks)
    if any(None in thresholds for thresholds in found):
        # A hash that is not spread evenly; no such rows are known.
        everywhere = [[(0, _KEYS - 1) for _ in wanted] for wanted in ranks]
        found = _at(rows, keys, strata, everywhere, ranks)
    return [[threshold for threshold in thresholds if threshold is not None] for thresholds in found]


def reached(keys: Column, strata: Column, thresholds: Sequence[int]) -> Column:
    """Whether a row's key is at most its stratum's threshold."""
    return keys <= _by_stratum(strata, thresholds)


def _near(rank: int, count: int) -> tuple[int, int]:
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
    aggregates = []
    for place in range(len(ranks[0])):
        low, high = (_by_stratum(strata, [pairs[place][end] for pairs in near]) for end in (0, 1))
        aggregates.append(F.count_if(keys < low).alias(f"below{place}"))
        aggregates.append(F.collect_list(F.when(keys.between(low, high), keys)).alias(f"near{place}"))
    by_stratum = {row["stratum"]: row for row in rows.groupBy(strata.alias("stratum")).agg(*aggregates).collect()}
    found: list[list[int | None]] = []
    for stratum, wanted in enumerate(ranks):
        found.append([])
        for place, rank in enumerate(wanted):
            row = by_stratum[stratum] if rank else {}
            around = sorted(row[f"near{place}"]) if rank else []
            position = rank - row[f"below{place}"] - 1 if rank else 0
            inside = around[position] if 0 <= position < len(around) else None
            found[-1].append(inside if rank else -1)
    return found


def _by_stratum(strata: Column, values: Sequence[int]) -> Column:
    if len(values) == 1:
        return F.lit(values[0]).cast("bigint")
    return F.get(F.array(*map(F.lit, values)).cast("array<bigint>"), strata)


def of_values(
    frame: DataFrame, values: Sequence[Column], counts: Sequence[int], ranks: Sequence[Sequence[int]], share: float
) -> list[list[Place]]:
    """The values at the given ranks, from 1, of each column.

    Args:
        values: doubles without NaN; NULL has no rank.
        counts: how many values each column has.
        ranks: for each column.
        share: where all ranks are, as a share of the counts.
    """
    named = frame.select(*[value.alias(f"v{k}") for k, value in enumerate(values)])
    bounds, below = [(-math.inf, math.inf)] * len(values), [0] * len(values)
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
    pairs = named.select(F.explode(F.array(*inside)).alias("pair")).where("pair IS NOT NULL")
    around: list[Counter[float]] = [Counter() for _ in values]
    counted = pairs.groupBy("pair.k", "pair.v").count().toArrow()
    for k, value, count in zip(*(column.to_pylist() for column in counted.columns), strict=True):
        around[k][value] = count
    return [_places(around[k], below[k], wanted) for k, wanted in enumerate(ranks)]


def _places(around: Counter[float], below: int, ranks: Sequence[int]) -> list[Place]:
    found: dict[int, Place] = {}
    for value in sorted(around):
        equal = around[value]
        found |= {rank: Place(value, below, equal) for rank in ranks if below < rank <= below + equal}
        below += equal
    return [found[rank] for rank in ranks]


def medians(frame: DataFrame, values: Sequence[Column], counts: Sequence[int]) -> list[float]:
    """The median of each column's values, of an even number the mean of the two in the middle; 0 of no values."""
    ranks = [((count + 1) // 2, count // 2 + 1) if count else () for count in counts]
    middles = of_values(frame, values, counts, ranks, 0.5)
    return [(places[0].value + places[1].value) / 2.0 if places else 0.0 for places in middles]
