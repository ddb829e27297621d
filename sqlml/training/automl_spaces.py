"""The search spaces of USING auto: the CANDIDATES table, a row for each estimator with the ranges of its
hyperparameters.

The bounds keep models small enough to be exported and compared in seconds: no tree has more than a few thousand leaves.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from typing import Any

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.estimators import CLASSIFICATION, REGRESSION, nouns
from sqlml.parser.cursor import Option
from sqlml.training.searches import Candidates, Range, Search

_BOTH = (CLASSIFICATION, REGRESSION)
# Engines that are optional dependencies of the package.
_EXTRAS = ("lightgbm", "xgboost")


@dataclass(frozen=True)
class Candidate:
    """A row of `CANDIDATES`.

    Attributes:
        estimator: a name of `ESTIMATORS`.
        tasks: the tasks it is tried for; an estimator whose best defaults differ by task has a row for each.
        space: the search space of each hyperparameter, and its value in the first trial.
        fixed: hyperparameters with one value in all trials.
        weights: True if it supports sample weights.
        most_rows: left out beyond this many rows, because scoring compares each row with all training rows.
        growth: fitting time grows with the number of rows to this power, as measured on 27,000 and 262,000 flights.
    """

    estimator: str
    tasks: tuple[str, ...]
    space: dict[str, tuple[Search, Any]]
    fixed: dict[str, Any] = field(default_factory=dict)
    weights: bool = True
    most_rows: int | None = None
    growth: float = 1.0

    @property
    def noun(self) -> str:
        return self.estimator.split(".")[-1]

    @property
    def engine(self) -> str:
        return self.estimator.split(".")[0]

    def starts_with(self) -> dict[str, Any]:
        """The first trial's hyperparameters for Optuna, which knows a candidate value by its index."""
        return {
            name: search.values.index(value) if isinstance(search, Candidates) else value
            for name, (search, value) in self.space.items()
        }


_FEATURES_OF_A_SPLIT = Candidates(("sqrt", 0.3, 0.6, 1.0))
# Building histograms of the rows costs less than growing the trees, so time grows more slowly than the rows.
_SLOW_GROWTH = 0.5
_SHARE = Range(0.3, 1.0)
_RATE = (Range(0.004, 0.5), 0.1)
_ROUNDS = (Range(8, 1024), 100)
_LEAVES = (Range(4, 512), 31)
_IN_A_LEAF = (Range(1, 128), 20)


def _forest(features_of_a_split: str | float) -> dict[str, tuple[Search, Any]]:
    return {
        "n_estimators": (Range(16, 256), 100),
        "max_leaf_nodes": (Range(8, 4096), 1024),
        "max_features": (_FEATURES_OF_A_SPLIT, features_of_a_split),
        "min_samples_leaf": (Range(1, 20), 1),
    }


# In the order of the first trials: the fastest on many rows come first, so that a short budget ends with a model.
CANDIDATES: tuple[Candidate, ...] = (
    Candidate(
        "lightgbm",
        _BOTH,
        growth=_SLOW_GROWTH,
        space={
            "n_estimators": _ROUNDS,
            "num_leaves": _LEAVES,
            "learning_rate": _RATE,
            "min_child_samples": _IN_A_LEAF,
            "colsample_bytree": (_SHARE, 1.0),
            "subsample": (_SHARE, 1.0),
            "reg_lambda": (Range(1e-3, 1e2), 1e-3),
        },
        fixed={"subsample_freq": 1},
    ),
    Candidate("sklearn.logistic_regression", (CLASSIFICATION,), {"C": (Range(1e-4, 1e4), 1.0)}),
    Candidate("sklearn.ridge", (REGRESSION,), {"alpha": (Range(1e-4, 1e4), 1.0)}),
    Candidate(
        "sklearn.hist_gradient_boosting",
        _BOTH,
        growth=_SLOW_GROWTH,
        space={
            "max_iter": _ROUNDS,
            "max_leaf_nodes": _LEAVES,
            "learning_rate": _RATE,
            "min_samples_leaf": _IN_A_LEAF,
            "max_features": (_SHARE, 1.0),
            "l2_regularization": (Range(1e-3, 1e2), 1e-3),
        },
        fixed={"early_stopping": False},
    ),
    Candidate(
        "xgboost",
        _BOTH,
        growth=_SLOW_GROWTH,
        space={
            "n_estimators": _ROUNDS,
            "max_depth": (Range(2, 10), 6),
            "learning_rate": _RATE,
            "min_child_weight": (Range(0.1, 100.0), 1.0),
            "colsample_bytree": (_SHARE, 1.0),
            "subsample": (_SHARE, 1.0),
            "reg_lambda": (Range(1e-3, 1e2), 1.0),
        },
    ),
    Candidate("sklearn.gaussian_naive_bayes", (CLASSIFICATION,), {"var_smoothing": (Range(1e-10, 1.0), 1e-9)}),
    Candidate(
        "sklearn.elastic_net",
        (REGRESSION,),
        {"alpha": (Range(1e-4, 10.0), 0.01), "l1_ratio": (Range(0.02, 1.0), 0.5)},
    ),
    Candidate(
        "sklearn.k_neighbors",
        _BOTH,
        {"n_neighbors": (Range(1, 40), 5), "weights": (Candidates(("uniform", "distance")), "distance")},
        weights=False,
        most_rows=5_000,
    ),
    Candidate("sklearn.random_forest", (CLASSIFICATION,), _forest("sqrt")),
    Candidate("sklearn.random_forest", (REGRESSION,), _forest(0.6)),
    Candidate("sklearn.extra_trees", (CLASSIFICATION,), _forest("sqrt")),
    Candidate("sklearn.extra_trees", (REGRESSION,), _forest(0.6)),
)


def chosen(task: str, rows: int, option: Option | None, *, weighted: bool) -> tuple[tuple[Candidate, ...], list[str]]:
    """The candidates for a task, and a message for each one left out for a reason the user may not expect.

    Args:
        rows: the number of training rows.
        option: `estimators = ['lightgbm', …]`, which restricts them.
        weighted: True if rows have weights.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for a name that is no candidate, or if none is left; SQLML_MISSING_PACKAGE for
            a named one that is not installed.
    """
    able = [candidate for candidate in CANDIDATES if task in candidate.tasks]
    named = None if option is None else _named(option, able, task)
    found, left_out = [], []
    for candidate in able if named is None else named:
        if candidate.engine in _EXTRAS and importlib.util.find_spec(candidate.engine) is None:
            hint = f"Install it where the driver runs: pip install 'sqlml[{candidate.engine}]'."
            if named is not None and option is not None:
                message = f"{candidate.noun} cannot be tried, because the Python package {candidate.engine} is missing."
                raise SqlmlError("SQLML_MISSING_PACKAGE", message, hint=hint, offset=option.offset)
            left_out.append(f"left out: {candidate.noun}, which is not installed. {hint}")
        elif weighted and not candidate.weights:
            left_out.append(f"left out: {candidate.noun}, which does not support weights")
        elif candidate.most_rows is not None and rows > candidate.most_rows:
            left_out.append(f"left out: {candidate.noun}, which supports at most {candidate.most_rows} rows")
        else:
            found.append(candidate)
    if not found:
        assert option is not None  # of all candidates some take weights and any number of rows
        raise SqlmlError(
            "SQLML_OPTION_INVALID", f"No estimator is left to try: {'; '.join(left_out)}.", offset=option.offset
        )
    return tuple(found), left_out


def _named(option: Option, able: list[Candidate], task: str) -> list[Candidate]:
    """The candidates that the option `estimators` names."""
    by_name = {name.lower(): candidate for candidate in able for name in (candidate.noun, candidate.estimator)}
    names = option.value if isinstance(option.value, tuple) else (option.value,)
    if not names or not all(isinstance(name, str) for name in names):
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"estimators must be a list of names, not {option.value!r}.",
            hint="Write, for example, estimators = ['lightgbm', 'random_forest'].",
            offset=option.offset,
        )
    noun_of = {name: next((noun for noun in nouns(name) if noun in by_name), "") for name in names}
    for wrong in (name for name in names if not noun_of[name]):
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"USING auto does not include {wrong} for {task}.",
            hint=did_you_mean(wrong, [candidate.noun for candidate in able], limit=20),
            offset=option.offset,
        )
    wanted = {by_name[noun].estimator for noun in noun_of.values()}
    return [candidate for candidate in able if candidate.estimator in wanted]
