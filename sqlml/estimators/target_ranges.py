"""Target ranges: the values for which losses are defined, for example counts for Poisson and positive numbers for
gamma."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.estimators.estimator import Estimator
from sqlml.jobs.job import Job


@dataclass(frozen=True)
class Range:
    """Numbers between two bounds.

    Attributes:
        open: True if the lower bound itself is excluded.
        nonzero: True if at least one row must be above 0.
    """

    words: str
    least: float
    most: float = math.inf
    open: bool = False
    nonzero: bool = False

    def violation(self, least: float, most: float) -> str | None:
        """A phrase about the smallest or the largest target if it is out of range; None otherwise."""
        if least < self.least or (self.open and least == self.least):
            return f"{least:.6g} is the smallest value"
        if most > self.most:
            return f"{most:.6g} is the largest value"
        return "0 is the only value" if self.nonzero and most == 0.0 else None


_COUNTS = Range("of at least 0", 0.0, nonzero=True)
_NOT_NEGATIVE = Range("of at least 0", 0.0)
_POSITIVE = Range("above 0", 0.0, open=True)
_SHARES = Range("from 0 to 1", 0.0, 1.0)
_ABOVE_MINUS_ONE = Range("above -1", -1.0, open=True)
# Keys are estimator, option and value; an empty option means every fit of the estimator.
_RANGES: dict[tuple[str, str, str], Range] = {
    ("lightgbm", "objective", "cross_entropy"): _SHARES,
    ("lightgbm", "objective", "gamma"): _POSITIVE,
    ("lightgbm", "objective", "poisson"): _COUNTS,
    ("lightgbm", "objective", "tweedie"): _COUNTS,
    ("lightgbm", "objective", "xentropy"): _SHARES,
    ("mllib.generalized_linear_regression", "family", "binomial"): _SHARES,
    ("mllib.generalized_linear_regression", "family", "gamma"): _POSITIVE,
    ("mllib.generalized_linear_regression", "family", "poisson"): _COUNTS,
    ("sklearn.decision_tree", "criterion", "poisson"): _COUNTS,
    ("sklearn.extra_trees", "criterion", "poisson"): _COUNTS,
    ("sklearn.gamma_regression", "", ""): _POSITIVE,
    ("sklearn.hist_gradient_boosting", "loss", "gamma"): _POSITIVE,
    ("sklearn.hist_gradient_boosting", "loss", "poisson"): _COUNTS,
    ("sklearn.neural_network", "loss", "poisson"): _NOT_NEGATIVE,
    ("sklearn.poisson_regression", "", ""): _COUNTS,
    ("sklearn.random_forest", "criterion", "poisson"): _COUNTS,
    ("xgboost", "objective", "count:poisson"): _NOT_NEGATIVE,
    ("xgboost", "objective", "reg:gamma"): _POSITIVE,
    ("xgboost", "objective", "reg:logistic"): _SHARES,
    ("xgboost", "objective", "reg:squaredlogerror"): _ABOVE_MINUS_ONE,
    ("xgboost", "objective", "reg:tweedie"): _NOT_NEGATIVE,
}


def of(estimator: Estimator, given: Mapping[str, Any]) -> tuple[str, Range] | None:
    """The option that decides ("" for none) and the allowed range; None if any number is allowed."""
    params = {**estimator.defaults, **given}
    # XGBoost on the cluster has the same objectives.
    name = "xgboost" if estimator.name == "xgboost.spark" else estimator.name
    if name == "sklearn.tweedie_regression":
        return _of_power(params.get("power", 0))
    found = (
        (option, allowed)
        for (of, option, value), allowed in _RANGES.items()
        if of == name and (not option or params.get(option) == value)
    )
    return next(found, None)


def check(estimator: Estimator, job: Job, least: float, most: float) -> None:
    """Raises SqlmlError SQLML_TARGET_INVALID if the loss is not defined for all targets of a regression.

    Args:
        least, most: the smallest and the largest target of the training rows.
    """
    known = of(estimator, job.params)
    found = known[1].violation(least, most) if known else None
    if known is None or found is None:
        return
    option, allowed = known
    setting = f" with {option} = {job.params.get(option)!r}" if option else ""
    raise SqlmlError(
        "SQLML_TARGET_INVALID",
        f"{estimator.name}{setting} predicts numbers {allowed.words}, but {found} of {job.signature.target}.",
        hint=f"Leave out such rows in the query, or use another {f'{option} or ' if option else ''}estimator.",
    )


def _of_power(power: Any) -> tuple[str, Range] | None:
    """The range for a Tweedie power: 0 and above, but not all 0, from 1 to below 2; above 0 from 2 on; None below 1."""
    if isinstance(power, bool) or not isinstance(power, (int, float)) or power < 1:
        return None
    return "power", _COUNTS if power < 2 else _POSITIVE
