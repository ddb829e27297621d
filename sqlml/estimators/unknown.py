"""The error for a name in USING that no estimator has, with the nearest names or the estimators of each task."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence

from sqlml.errors import SqlmlError
from sqlml.estimators.estimator import (
    ANOMALY_DETECTION,
    CLASSIFICATION,
    CLUSTERING,
    DIMENSIONALITY_REDUCTION,
    REGRESSION,
    Estimator,
)

# Names less alike than this are not suggested; nor are names that are much less alike than the best one.
_LEAST_ALIKE = 0.6
_NEXT_BEST = 0.1
_MOST_SUGGESTED = 3
_TASKS = (CLASSIFICATION, REGRESSION, CLUSTERING, ANOMALY_DETECTION, DIMENSIONALITY_REDUCTION)
_MOST_LISTED = 5

# Well-known algorithms without a row, most of which cannot predict new rows, by the task of the estimators to suggest.
_ABSENT: dict[str, str] = {
    "affinity_propagation": CLUSTERING,
    "agglomerative_clustering": CLUSTERING,
    "birch": CLUSTERING,
    "dbscan": CLUSTERING,
    "factor_analysis": DIMENSIONALITY_REDUCTION,
    "fast_ica": DIMENSIONALITY_REDUCTION,
    "hdbscan": CLUSTERING,
    "hierarchical_clustering": CLUSTERING,
    "ica": DIMENSIONALITY_REDUCTION,
    "mean_shift": CLUSTERING,
    "nmf": DIMENSIONALITY_REDUCTION,
    "optics": CLUSTERING,
    "spectral_clustering": CLUSTERING,
    "tsne": DIMENSIONALITY_REDUCTION,
    "umap": DIMENSIONALITY_REDUCTION,
}


def unknown_estimator(name: str, rows: Sequence[Estimator]) -> SqlmlError:
    """Returns SQLML_ESTIMATOR_NOT_FOUND for a name that none of the rows has."""
    engine, _, noun = name.lower().rpartition(".")
    absent = {known.replace("_", ""): task for known, task in _ABSENT.items()}.get(noun.replace("_", ""))
    of_engine = {row.noun: row.name for row in rows if row.engine == engine}
    near = [] if absent else _near(noun, of_engine or {row.noun: row.noun for row in rows})
    if len(near) > 1:
        hint = f"Did you mean one of {', '.join(near)}?"
    elif near:
        hint = f"Did you mean {near[0]}?"
    else:
        tasks = (absent,) if absent else _TASKS
        found = "; ".join(f"for {task.replace('_', ' ')}: {usual(task, rows, _MOST_LISTED)}" for task in tasks)
        hint = f"{found}."
    return SqlmlError("SQLML_ESTIMATOR_NOT_FOUND", f"There is no estimator {name}.", hint=hint[0].upper() + hint[1:])


def _near(name: str, known: Mapping[str, str]) -> list[str]:
    """The known names that are most like a name, the best one first; a word of a name is like the whole name.

    Args:
        known: for each name to compare with, the name to suggest.
    """
    alike = {one: 1.0 if name in one.split("_") else _alike(name, one) for one in known}
    best = max(alike.values())
    near = [one for one, likeness in alike.items() if likeness >= max(_LEAST_ALIKE, best - _NEXT_BEST)]
    return [known[one] for one in sorted(near, key=lambda one: (-alike[one], one))[:_MOST_SUGGESTED]]


def _alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def usual(task: str, rows: Sequence[Estimator], most: int) -> str:
    """The estimators of a task for a hint: those that most libraries have come first."""
    libraries = Counter(row.noun for row in rows if task in row.classes and not row.one_number and not row.censored)
    nouns = sorted(libraries, key=lambda noun: (-libraries[noun], noun))
    return ", ".join(nouns[:most]) + (", …" if len(nouns) > most else "")
