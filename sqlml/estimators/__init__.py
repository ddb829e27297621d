"""What can be fitted: the ESTIMATORS table, and how a name in SQL finds its row.

A row has a name in SQL (`engine.noun`), the library's class for each task, and the hyperparameters that OPTIONS takes,
under the library's own names. To add an estimator, add a row to its engine's table and, where its graph is new, a
function to `sqlml/export`.
"""

from __future__ import annotations

from collections import Counter

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.estimators.boosting_estimators import BOOSTING_ESTIMATORS
from sqlml.estimators.estimator import (
    ANOMALY_DETECTION,
    CLASSIFICATION,
    CLUSTERING,
    DIMENSIONALITY_REDUCTION,
    REGRESSION,
    WITHOUT_TARGET,
    Estimator,
)
from sqlml.estimators.mllib_estimators import MLLIB_ESTIMATORS
from sqlml.estimators.sklearn_estimators import SKLEARN_ESTIMATORS

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
    "resolve",
    "tasks_of",
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


def resolve(name: str | None, task: str, engine_hint: str) -> Estimator:
    """The row that a name in USING means.

    Args:
        name: `random_forest`, `sklearn.random_forest`, a library's class name, or None for the default; any case.
        task: what the target asks for.
        engine_hint: the engine for a name without one, where it has such an estimator.

    Raises:
        SqlmlError: SQLML_ESTIMATOR_NOT_FOUND for an unknown name, or for one that cannot do the task.
    """
    wanted = (name or _DEFAULT).lower()
    engine, _, noun = wanted.rpartition(".")
    found = [row for row in ESTIMATORS if _means(row, noun) and engine in ("", row.engine)]
    if not found:
        known = {row.name for row in ESTIMATORS} | {row.noun for row in ESTIMATORS if not engine}
        raise SqlmlError(
            "SQLML_ESTIMATOR_NOT_FOUND",
            f"There is no estimator {name}.",
            hint=did_you_mean(wanted, known, limit=20),
        )
    able = [row for row in found if task in row.classes and noun in (row.noun, row.classes[task].lower())]
    if not able:
        raise _unable(name, task, _tasks(found, noun))
    if not engine:
        able.sort(key=lambda row: row.engine != engine_hint)
        preferred = _PREFERRED.get((able[0].engine, noun))
        if engine_hint == MLLIB:
            preferred = _ON_THE_CLUSTER.get(able[0].name, preferred)
        return next((row for row in ESTIMATORS if row.name == preferred), able[0])
    return able[0]


def tasks_of(name: str | None) -> tuple[str, ...]:
    """What an estimator can do, as far as its name says; all tasks for the default, none for an unknown name."""
    engine, _, noun = (name or _DEFAULT).lower().rpartition(".")
    return _tasks([row for row in ESTIMATORS if _means(row, noun) and engine in ("", row.engine)], noun)


def _tasks(rows: list[Estimator], noun: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(task for row in rows for task, kind in row.classes.items() if noun in (row.noun, kind.lower()))
    )


def _unable(name: str | None, task: str, tasks: tuple[str, ...]) -> SqlmlError:
    usual = [row for row in ESTIMATORS if task in row.classes and not row.one_number and not row.censored]
    engines = Counter(row.noun for row in usual)
    # Those that several engines have come first: they are what most people mean.
    others = sorted(engines, key=lambda noun: (-engines[noun], noun))
    listed = ", ".join(others[:_MOST_LISTED]) + (", …" if len(others) > _MOST_LISTED else "")
    if set(tasks) <= set(WITHOUT_TARGET):
        hint = "Leave TARGET out: it learns from the features alone."
    else:
        hint = f"For {task}: {listed}. Or set OPTIONS (task = '{tasks[0]}')."
    return SqlmlError(
        "SQLML_ESTIMATOR_NOT_FOUND",
        f"{name} does {' and '.join(tasks)} only, and the target asks for {task}.",
        hint=hint,
    )


def _means(row: Estimator, noun: str) -> bool:
    return noun == row.noun or noun in (name.lower() for name in row.classes.values())
