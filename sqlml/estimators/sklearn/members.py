"""Members of voting and stacking: resolves estimator names in options to rows of the ESTIMATORS table, with default
settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.estimators import CLASSIFICATION, ESTIMATORS, SKLEARN, Estimator, nouns

# The default members: a linear model, a forest and boosted trees.
_USUAL = {
    CLASSIFICATION: ("logistic_regression", "random_forest", "hist_gradient_boosting"),
    "regression": ("ridge", "random_forest", "hist_gradient_boosting"),
}
COMBINED = ("stacking", "voting")


def members(names: Any, task: str, option: str, make: Callable[[Estimator], Any]) -> list[tuple[str, Any]]:
    """Pairs of a name and an unfitted estimator, as scikit-learn's `estimators` parameter.

    Args:
        names: the option's value; None for the default members.
        option: the option's name, for messages.
        make: builds one row's estimator.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID.
    """
    if names is None:
        names = _USUAL[task]
    if not isinstance(names, Sequence) or isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"{option} must be a list of estimators, such as {list(_USUAL[task])}, not {names!r}.",
        )
    if len(set(names)) < max(len(names), 2):
        raise SqlmlError("SQLML_OPTION_INVALID", f"{option} must list at least two different estimators.")
    return [(name, make(member(name, task, option))) for name in names]


def member(name: str, task: str, option: str) -> Estimator:
    """The row for a member's name: one of scikit-learn that keeps no training rows and does not combine others
    itself."""
    able = {row.noun: row for row in ESTIMATORS if _may_be_member(row, task)}
    plain = name.lower().removeprefix(f"{SKLEARN}.")
    noun = next((noun for noun in nouns(plain) if noun in able), plain)
    if noun not in able:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"{option} names {name}, which is not an estimator for {task} that can be combined.",
            hint=did_you_mean(noun, able, limit=20),
        )
    return able[noun]


def _may_be_member(row: Estimator, task: str) -> bool:
    keeps_rows = row.most_rows is not None
    return (
        row.engine == SKLEARN and task in row.classes and not keeps_rows and not row.noisy and row.noun not in COMBINED
    )
