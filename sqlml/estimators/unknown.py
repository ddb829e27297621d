"""The error for a name in USING that no estimator has, with the nearest names or the estimators of each task."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence, Set

from sqlml.errors import SqlmlError
from sqlml.estimators.estimator import (
    ANOMALY_DETECTION,
    CLASSIFICATION,
    CLUSTERING,
    DIMENSIONALITY_REDUCTION,
    REGRESSION,
    Estimator,
)
from sqlml.estimators.sklearn.by_name import BY_NAME
from sqlml.estimators.sklearn.refused import REFUSED

# Names less alike than this are not suggested; nor are names that are much less alike than the best one.
_LEAST_ALIKE = 0.6
_NEXT_BEST = 0.1
_MOST_SUGGESTED = 3
_TASKS = (CLASSIFICATION, REGRESSION, CLUSTERING, ANOMALY_DETECTION, DIMENSIONALITY_REDUCTION)
_MOST_LISTED = 5

# Well-known algorithms without a row, by the task of the estimators to suggest.
_ABSENT: dict[str, str] = {
    "factor_analysis": DIMENSIONALITY_REDUCTION,
    "fast_ica": DIMENSIONALITY_REDUCTION,
    "hierarchical_clustering": CLUSTERING,
    "ica": DIMENSIONALITY_REDUCTION,
    "nmf": DIMENSIONALITY_REDUCTION,
    "tsne": DIMENSIONALITY_REDUCTION,
    "umap": DIMENSIONALITY_REDUCTION,
}


def unknown_estimator(name: str, rows: Sequence[Estimator]) -> SqlmlError:
    """Returns SQLML_ESTIMATOR_NOT_FOUND for a name that none of the rows has."""
    engine, _, noun = name.lower().rpartition(".")
    refused = _refused(noun) if engine in ("", "sklearn") else None
    absent = {known.replace("_", ""): task for known, task in _ABSENT.items()}.get(noun.replace("_", ""))
    message = f"There is no estimator {name}."
    if refused:
        absent, kind = BY_NAME[refused]
        message += f" scikit-learn's {kind.rpartition('.')[2]} {REFUSED[refused]}."
    of_engine = {row.noun: row.name for row in rows if row.engine == engine}
    seldom = {row.name for row in rows if row.seldom} | {row.noun for row in rows if row.seldom}
    near = [] if absent else _near(noun, of_engine or {row.noun: row.noun for row in rows}, seldom)
    if len(near) > 1:
        hint = f"Did you mean one of {', '.join(near)}?"
    elif near:
        hint = f"Did you mean {near[0]}?"
    else:
        tasks = (absent,) if absent else _TASKS
        found = "; ".join(f"for {task.replace('_', ' ')}: {usual(task, rows, _MOST_LISTED)}" for task in tasks)
        hint = f"{found}."
    return SqlmlError("SQLML_ESTIMATOR_NOT_FOUND", message, hint=hint[0].upper() + hint[1:])


def _refused(noun: str) -> str | None:
    """The name in REFUSED that a name means, with underscores or as a class's name; None for other names."""
    return next((name for name in REFUSED if name.replace("_", "") == noun.replace("_", "")), None)


def _near(name: str, known: Mapping[str, str], seldom: Set[str]) -> list[str]:
    """The known names that are most like a name, the best one first; a word of a name is like the whole name.

    Args:
        known: for each name to compare with, the name to suggest.
        seldom: names to suggest after others that are as near.
    """
    alike = {one: 1.0 if name in one.split("_") else _alike(name, one) for one in known}
    best = max(alike.values())
    near = [one for one, likeness in alike.items() if likeness >= max(_LEAST_ALIKE, best - _NEXT_BEST)]
    return [
        known[one] for one in sorted(near, key=lambda one: (-alike[one], known[one] in seldom, one))[:_MOST_SUGGESTED]
    ]


def _alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def usual(task: str, rows: Sequence[Estimator], most: int) -> str:
    """The estimators of a task for a hint: those that most libraries have come first."""
    plain = (row for row in rows if not row.one_number and not row.censored and not row.seldom)
    libraries = Counter(row.noun for row in plain if task in row.classes)
    nouns = sorted(libraries, key=lambda noun: (-libraries[noun], noun))
    return ", ".join(nouns[:most]) + (", …" if len(nouns) > most else "")
