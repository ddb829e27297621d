"""What can be fitted: the ESTIMATORS table, and how a name in SQL finds its row.

A row has a name in SQL (`engine.noun`), the library's class for each task, and the hyperparameters that OPTIONS takes,
under the library's own names. To add an estimator, add a row to its engine's table and, where its graph is new, a
function to `sqlml/export`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlml.errors import SqlmlError, did_you_mean
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
    "nouns",
    "resolve",
    "tasks_of",
    "usual",
]

SKLEARN, MLLIB = "sklearn", "mllib"

ESTIMATORS: tuple[Estimator, ...] = (*SKLEARN_ESTIMATORS, *MLLIB_ESTIMATORS, *BOOSTING_ESTIMATORS)

# In an error that offers other estimators.
_MOST_LISTED = 10
_DEFAULT = "gradient_boosting"
# A noun without an engine may mean another row than the one with its name: scikit-learn's histogram boosting is the
# same idea as its plain boosting, and faster by orders of magnitude.
_PREFERRED = {(SKLEARN, "gradient_boosting"): "sklearn.hist_gradient_boosting"}
# The rows of engines that are on both sides themselves.
_ON_THE_CLUSTER = {"xgboost": "xgboost.spark"}


def resolve(
    name: str | None, task: str, engine_hint: str, possible: Sequence[str] = (CLASSIFICATION, REGRESSION)
) -> Estimator:
    """The row that a name in USING means.

    Args:
        name: `random_forest`, `sklearn.random_forest`, one of SHORT_NAMES, a library's class name, or None for the
            default; any case.
        task: what the target asks for.
        engine_hint: the engine for a name without one, where it has such an estimator.
        possible: the tasks that the target's type allows, which a hint may offer.

    Raises:
        SqlmlError: SQLML_ESTIMATOR_NOT_FOUND for an unknown name, or for one that cannot do the task.
    """
    engine, meant, found = _found(name)
    if not found:
        known = {row.name for row in ESTIMATORS} if engine else {row.noun for row in ESTIMATORS}
        close = did_you_mean((name or "").lower(), known, limit=0)
        raise SqlmlError(
            "SQLML_ESTIMATOR_NOT_FOUND",
            f"There is no estimator {name}.",
            hint=close if close.startswith("Did") else f"For {task}: {usual(task)}.",
        )
    able = [row for row in found if any(_does(row, noun, task) for noun in meant)]
    if not able:
        raise _unable(name, task, tasks_of(name), possible)
    if engine:
        return able[0]
    # A row of an engine stands before those of others, and a noun before those that follow it.
    able.sort(key=lambda row: (row.engine != engine_hint, [_means(row, noun) for noun in meant].index(True)))
    noun = next(noun for noun in meant if _means(able[0], noun))
    preferred = _PREFERRED.get((able[0].engine, noun))
    if engine_hint == MLLIB:
        preferred = _ON_THE_CLUSTER.get(able[0].name, preferred)
    return next((row for row in ESTIMATORS if row.name == preferred), able[0])


def tasks_of(name: str | None) -> tuple[str, ...]:
    """What an estimator can do, as far as its name says; all tasks for the default, none for an unknown name."""
    _, meant, found = _found(name)
    return tuple(
        dict.fromkeys(task for row in found for task in row.classes if any(_does(row, noun, task) for noun in meant))
    )


def _found(name: str | None) -> tuple[str, tuple[str, ...], list[Estimator]]:
    """The engine that a name has, the nouns that it may mean, and the rows of those."""
    engine, _, last = (name or _DEFAULT).lower().rpartition(".")
    meant = nouns(last)
    rows = [row for row in ESTIMATORS if engine in ("", row.engine) and any(_means(row, noun) for noun in meant)]
    return engine, meant, rows


def _does(row: Estimator, noun: str, task: str) -> bool:
    return task in row.classes and noun in (row.noun, row.classes[task].lower())


def usual(task: str) -> str:
    """The estimators of a task, as a hint lists them: those that several engines have come first."""
    usual = [row for row in ESTIMATORS if task in row.classes and not row.one_number and not row.censored]
    engines = Counter(row.noun for row in usual)
    others = sorted(engines, key=lambda noun: (-engines[noun], noun))
    return ", ".join(others[:_MOST_LISTED]) + (", …" if len(others) > _MOST_LISTED else "")


def _unable(name: str | None, task: str, tasks: tuple[str, ...], possible: Sequence[str]) -> SqlmlError:
    if set(tasks) <= set(WITHOUT_TARGET):
        hint = "Leave TARGET out: it learns from the features alone."
    else:
        hint = f"For {task}: {usual(task)}."
        hint += f" Or set OPTIONS (task = '{tasks[0]}')." if tasks[0] in possible else ""
    return SqlmlError(
        "SQLML_ESTIMATOR_NOT_FOUND",
        f"{name} does {' and '.join(tasks)} only, and the target asks for {task}.",
        hint=hint,
    )


def _means(row: Estimator, noun: str) -> bool:
    return noun == row.noun or noun in (name.lower() for name in row.classes.values())
