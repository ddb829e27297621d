"""The similarity of two column names, from 0 to 1.

Names are split into words, which are normalised and compared one by one. Differences in spelling (camelCase,
snake_case, kebab-case), abbreviations, plurals, prefixes that name a column's origin, and a unit in only one of the
names cost a little each. Any other word that only one name has costs its share, and long common words do not make up
for one that differs: `customer_lifetime_value_in` and `customer_lifetime_value_out` are not similar, although their
edit distance is small.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

# Measured on tests/fixtures/name_pairs.txt: at 0.9 no pair of different things is accepted.
THRESHOLD = 0.9
# Candidates whose scores differ by less are a tie, which the user decides.
MARGIN = 0.03
# The least score of a candidate.
LEAST = 0.4

_SPELLING, _PLURAL, _ABBREVIATION, _ORDER, _PREFIX, _UNIT = 0.01, 0.01, 0.02, 0.03, 0.04, 0.05
# The score where numbers, units or first letters conflict: never accepted.
_CONFLICT = 0.5
# The weight of common words beside others that differ: enough for a candidate, never accepted.
_PARTLY = 0.8

_RUNS = re.compile(r"[^\W\d_]+|\d+")
# dailyRate → daily, Rate; HTTPStatus → HTTP, Status
_HUMPS = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

# Abbreviations and synonyms, and the words they are replaced by.
_ABBREVIATIONS = {
    "acct": "account",
    "addr": "address",
    "amt": "amount",
    "arr": "arrival",
    "avg": "average",
    "bal": "balance",
    "cat": "category",
    "cnt": "count",
    "ctry": "country",
    "cust": "customer",
    "dept": "department",
    "desc": "description",
    "dist": "distance",
    "dob": "birth date",
    "dt": "date",
    "dur": "duration",
    "emp": "employee",
    "fname": "first name",
    "gndr": "gender",
    "inv": "invoice",
    "lat": "latitude",
    "lname": "last name",
    "lng": "longitude",
    "lon": "longitude",
    "mgr": "manager",
    "mnth": "month",
    "mth": "month",
    "nbr": "number",
    "nr": "number",
    "num": "number",
    "ord": "order",
    "perc": "percent",
    "percentage": "percent",
    "pmt": "payment",
    "postal": "post",
    "postcode": "post code",
    "prod": "product",
    "qty": "quantity",
    "sex": "gender",
    "std": "standard",
    "tel": "phone",
    "telephone": "phone",
    "temp": "temperature",
    "tot": "total",
    "trx": "transaction",
    "ts": "timestamp",
    "txn": "transaction",
    "val": "value",
    "wk": "week",
    "yr": "year",
    "zip": "post code",
    "zipcode": "post code",
}
_FILLERS = {"of", "the"}
# Leading words that name a column's origin rather than its content.
_PREFIXES = {
    "cust",
    "customer",
    "col",
    "dim",
    "f",
    "fact",
    "fct",
    "fld",
    "is",
    "raw",
    "src",
    "stg",
    "tbl",
    "vw",
}
_UNITS = {
    "c": "celsius",
    "celsius": "celsius",
    "chf": "chf",
    "cm": "cm",
    "days": "day",
    "dollars": "usd",
    "eur": "eur",
    "euro": "eur",
    "euros": "eur",
    "f": "fahrenheit",
    "fahrenheit": "fahrenheit",
    "ft": "ft",
    "g": "g",
    "gb": "gb",
    "gbp": "gbp",
    "hours": "hour",
    "hr": "hour",
    "hrs": "hour",
    "inr": "inr",
    "jpy": "jpy",
    "kb": "kb",
    "kg": "kg",
    "km": "km",
    "kmh": "kmh",
    "kwh": "kwh",
    "lb": "lb",
    "lbs": "lb",
    "m": "m",
    "mb": "mb",
    "mi": "mi",
    "miles": "mi",
    "mins": "minute",
    "minutes": "minute",
    "mm": "mm",
    "months": "month",
    "mph": "mph",
    "ms": "ms",
    "pct": "percent",
    "percent": "percent",
    "sec": "second",
    "seconds": "second",
    "secs": "second",
    "sqft": "sqft",
    "sqm": "sqm",
    "usd": "usd",
    "weeks": "week",
    "years": "year",
}


@dataclass(frozen=True)
class _Name:
    """A name split into normalised words.

    Attributes:
        written: all its words as they are written.
        words: the significant words, spelled out and in the singular; `cost` is the cost of that.
        unit: the unit at its end.
    """

    written: tuple[str, ...]
    words: tuple[str, ...]
    prefix: tuple[str, ...]
    unit: str | None
    cost: float


def similarity(feature: str, column: str, context: frozenset[str] = frozenset()) -> float:
    """The similarity of a feature's name and a column's name.

    Args:
        context: meaningless leading words in this table's columns, such as the table's own name.

    Returns:
        1 for names that are equal but for case; `THRESHOLD` and more for the same name in another spelling.
    """
    if feature.lower() == column.lower():
        return 1.0
    return max(_alike(one, other) for one in _readings(feature, frozenset()) for other in _readings(column, context))


def unit_differs(feature: str, column: str) -> bool:
    """Returns whether only one of the names has a unit, so that the numbers may be in different units."""
    one, other = (_readings(name, frozenset())[0] for name in (feature, column))
    return (one.unit is None) != (other.unit is None)


def shared_prefixes(table: str, columns: Collection[str]) -> frozenset[str]:
    """The meaningless leading words of a table's columns: the words of its name, and one that most columns share."""
    found = {_singular(word)[0] for word in _split(table)} | set(_split(table))
    firsts = [words[0] for words in map(_split, columns) if len(words) > 1]
    for word in set(firsts):
        if firsts.count(word) >= 3 and firsts.count(word) * 2 > len(columns):
            found.add(word)
    return frozenset(found | {long for word in found for long in _ABBREVIATIONS.get(word, word).split()})


@lru_cache(maxsize=4_000)
def _readings(name: str, context: frozenset[str]) -> tuple[_Name, ...]:
    """The possible readings of a name: with its leading words, and without those that are prefixes."""
    raw = _split(name)
    unit = _UNITS.get(raw[-1]) if len(raw) > 1 else None
    words, cost = _plain(raw[:-1] if unit else raw)
    readings = [_Name(tuple(raw), words, (), unit, cost)]
    at = 0
    while at < len(raw) - (2 if unit else 1) and (raw[at] in _PREFIXES or raw[at] in context):
        at += 1
    if at:
        words, cost = _plain(raw[at:-1] if unit else raw[at:])
        readings.append(_Name(tuple(raw), words, tuple(raw[:at]), unit, cost))
    return tuple(readings)


def _split(name: str) -> list[str]:
    words = [word.lower() for run in _RUNS.findall(name) for word in _HUMPS.split(run)]
    return [word for word in words if word not in _FILLERS] or words or [name.lower()]


def _plain(raw: list[str]) -> tuple[tuple[str, ...], float]:
    """Spells words out, in the singular; returns them and the cost."""
    words: list[str] = []
    cost = 0.0
    for at, word in enumerate(raw):
        long = _ABBREVIATIONS.get(word, word)
        # `no` and `n` mean "number" only at the end or the start of a name: invoice_no, n_children.
        if (word == "no" and at == len(raw) - 1 > 0) or (word in ("n", "no") and at == 0 < len(raw) - 1):
            long = "number"
        cost = max(cost, _ABBREVIATION if long != word else 0.0)
        for part in long.split():
            single, cut = _singular(part.lstrip("0") or part)
            if words[-1:] != [single]:  # a zip code is a post code, not a post code code
                words.append(single)
            cost = max(cost, _PLURAL if cut else 0.0)
    return tuple(words), cost


def _singular(word: str) -> tuple[str, bool]:
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y", True
    if len(word) > 4 and word.endswith(("xes", "sses", "shes", "ches")):
        return word[:-2], True
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1], True
    return word, False


def _alike(feature: _Name, column: _Name) -> float:
    """The similarity of two readings: that of their words, less the costs of spelling, unit and prefix."""
    if feature.written == column.written:
        return 1.0 - _SPELLING
    if feature.unit and column.unit and feature.unit != column.unit:
        return _CONFLICT
    cost = _SPELLING + feature.cost + column.cost
    cost += _UNIT if feature.unit != column.unit else 0.0
    cost += _PREFIX if feature.prefix != column.prefix else 0.0
    return max(0.0, _words(feature.words, column.words) - cost)


def _words(feature: tuple[str, ...], column: tuple[str, ...]) -> float:
    # The words are paired greedily. The score is the worst pair's or the share of paired words, whichever is less,
    # minus a cost for another order; common words beside others that differ still give `_PARTLY` of the share.
    if feature == column or "".join(feature) == "".join(column):
        return 1.0
    if _numbers(feature) != _numbers(column):
        return _CONFLICT
    fewer, more = sorted((feature, column), key=len)
    if not fewer:
        return 0.0
    # All pairs of words, the most similar first; then each word is used once.
    near = sorted(
        ((_word(one, other), at, match) for at, one in enumerate(fewer) for match, other in enumerate(more)),
        key=lambda pair: (-pair[0], abs(pair[1] - pair[2])),
    )
    matches: dict[int, int] = {}
    alike: list[float] = []
    for score, at, match in near:
        if at not in matches and match not in matches.values():
            matches[at] = match
            alike.append(score)
    share = 2 * sum(alike) / (len(feature) + len(column))
    order = [matches[at] for at in sorted(matches)]
    best = max(min(share, *alike) - (0.0 if order == sorted(order) else _ORDER), _PARTLY * share)
    # Without common words the edit distance still ranks the candidates in an error.
    return max(best, _CONFLICT * _letters("".join(feature), "".join(column)))


def _numbers(words: tuple[str, ...]) -> list[str]:
    return sorted(word for word in words if word.isdigit())


def _word(one: str, other: str) -> float:
    if one == other:
        return 1.0
    # A different first letter is no typing error: `weight` and `height`, `active` and `inactive`.
    return min(_letters(one, other), 1.0 if one[0] == other[0] else _CONFLICT)


@lru_cache(maxsize=100_000)
def _letters(one: str, other: str) -> float:
    from rapidfuzz.distance import OSA

    return float(OSA.normalized_similarity(one, other))
