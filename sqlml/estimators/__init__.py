"""The registry of estimators: the ESTIMATORS table, and the resolution of a name in SQL to one of its rows.

A row has a name in SQL (`engine.noun`), the library's class for each task, and the hyperparameters that OPTIONS
accepts, under the library's own names. CONTRIBUTING.md lists the steps to add an estimator; the first is a row in its
library's table.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlml.errors import SqlmlError
from sqlml.estimators import unknown
from sqlml.estimators.boosting.estimators import BOOSTING_ESTIMATORS
from sqlml.estimators.estimator import (
    ANOMALY_DETECTION,
    CLASSIFICATION,
    CLUSTERING,
    DIMENSIONALITY_REDUCTION,
    REGRESSION,
    WITHOUT_TARGET,
    Estimator,
)
from sqlml.estimators.mllib.estimators import MLLIB_ESTIMATORS
from sqlml.estimators.short_names import nouns
from sqlml.estimators.sklearn.estimators import SKLEARN_ESTIMATORS

__all__ = [
    "ANOMALY_DETECTION",
    "CLASSIFICATION",
    "CLUSTERING",
    "DIMENSIONALITY_REDUCTION",
    "ESTIMATORS",
    "MLLIB",
    "REGRESSION",
    "SKLEARN",
    "WITHOUT_TARGET",
    "Estimator",
    "check_known",
    "nouns",
    "resolve",
    "tasks_of",
    "usual",
]

SKLEARN, MLLIB = "sklearn", "mllib"

ESTIMATORS: tuple[Estimator, ...] = (*SKLEARN_ESTIMATORS, *MLLIB_ESTIMATORS, *BOOSTING_ESTIMATORS)

# The number of estimators listed in an error's hint.
_MOST_LISTED = 10
_DEFAULT = "gradient_boosting"
# A noun without an engine may resolve to a better row: scikit-learn's histogram boosting is the same method as its
# plain gradient boosting, and orders of magnitude faster.
_PREFERRED = {(SKLEARN, "gradient_boosting"): "sklearn.hist_gradient_boosting"}
# Libraries that train on one machine and on the cluster have a row for each.
_ON_THE_CLUSTER = {"xgboost": "xgboost.spark"}


def resolve(
    name: str | None, task: str, engine_hint: str, possible: Sequence[str] = (CLASSIFICATION, REGRESSION)
) -> Estimator:
    """The row for a name in USING.

    Args:
        name: `random_forest`, `sklearn.random_forest`, one of SHORT_NAMES, a library's class name, also in snake case,
            or None for the default; case does not matter.
        task: the task to perform.
        engine_hint: the preferred engine for a name without one.
        possible: the tasks that the target's type allows, which a hint may suggest.

    Raises:
        SqlmlError: SQLML_ESTIMATOR_NOT_FOUND for an unknown name, or for an estimator without this task.
    """
    engine, meant, found = _found(name)
    if not found:
        raise unknown.unknown_estimator(name or "", ESTIMATORS)
    able = [row for row in found if any(_does(row, noun, task) for noun in meant)]
    if not able:
        raise _unable(name, task, tasks_of(name), possible)
    if engine:
        return able[0]
    # The preferred engine comes first, then the order of the nouns that a short name stands for.
    able.sort(key=lambda row: (row.engine != engine_hint, [_means(row, noun) for noun in meant].index(True)))
    noun = next(noun for noun in meant if _means(able[0], noun))
    preferred = _PREFERRED.get((able[0].engine, noun))
    if engine_hint == MLLIB:
        preferred = _ON_THE_CLUSTER.get(able[0].name, preferred)
    return next((row for row in ESTIMATORS if row.name == preferred), able[0])


def check_known(name: str) -> None:
    """Raises SqlmlError SQLML_ESTIMATOR_NOT_FOUND for a name that no estimator has."""
    _, _, found = _found(name)
    if not found:
        raise unknown.unknown_estimator(name, ESTIMATORS)


def tasks_of(name: str | None) -> tuple[str, ...]:
    """The tasks of the estimators that a name may stand for; all tasks for the default, none for an unknown name."""
    _, meant, found = _found(name)
    return tuple(
        dict.fromkeys(task for row in found for task in row.classes if any(_does(row, noun, task) for noun in meant))
    )


def _found(name: str | None) -> tuple[str, tuple[str, ...], list[Estimator]]:
    """The engine in a name ("" if there is none), the nouns it may stand for, and their rows."""
    engine, _, last = (name or _DEFAULT).lower().rpartition(".")
    meant = nouns(last)
    rows = [row for row in ESTIMATORS if engine in ("", row.engine) and any(_means(row, noun) for noun in meant)]
    return engine, meant, rows


def _does(row: Estimator, noun: str, task: str) -> bool:
    """True if a row performs the task under this noun or class name."""
    return task in row.classes and row.means(noun, task)


def usual(task: str) -> str:
    """The estimators of a task for a hint: those that most engines have come first."""
    return unknown.usual(task, ESTIMATORS, _MOST_LISTED)


def _unable(name: str | None, task: str, tasks: tuple[str, ...], possible: Sequence[str]) -> SqlmlError:
    if set(tasks) <= set(WITHOUT_TARGET):
        hint = "Leave out TARGET, because the estimator learns from the features alone."
    else:
        hint = f"For {task} there are {usual(task)}."
        hint += f" Or set OPTIONS (task = '{tasks[0]}')." if tasks[0] in possible else ""
    return SqlmlError(
        "SQLML_ESTIMATOR_NOT_FOUND",
        f"{name} supports only {' and '.join(tasks).replace('_', ' ')}, but the target asks for {task}.",
        hint=hint,
    )


def _means(row: Estimator, noun: str) -> bool:
    """True if a noun, or a class name in lower case, refers to this row."""
    return any(row.means(noun, task) for task in row.classes)
