"""OPTIONS of TRAIN MODEL: splits them into the common options of all estimators, which are checked here, and an
estimator's hyperparameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.estimators import (
    ANOMALY_DETECTION,
    CLASSIFICATION,
    CLUSTERING,
    DIMENSIONALITY_REDUCTION,
    REGRESSION,
    Estimator,
    missing_values,
)
from sqlml.jobs.job import BALANCED, RANDOM, SEQUENTIAL, SPLIT_METHODS, Job
from sqlml.jobs.preparation import ENCODINGS, IMPUTATIONS
from sqlml.parser.cursor import Option
from sqlml.parser.generator import print_value
from sqlml.parser.literals import Call
from sqlml.signature import BOOLEAN, DATE, NUMBER, TIMESTAMP, Feature
from sqlml.training.searches import Search, search

if TYPE_CHECKING:
    from sqlml.training.tuning import Trial

DEFAULT_SEED = 42
_TASKS = (CLASSIFICATION, REGRESSION, CLUSTERING, ANOMALY_DETECTION, DIMENSIONALITY_REDUCTION)


@dataclass(frozen=True)
class Common:
    """The values of the options that every estimator has, and where they stand in the statement."""

    task: str | None = None
    test_fraction: float | None = None
    seed: int = DEFAULT_SEED
    tolerance: float = 1e-6
    split_method: str | None = None
    split_column: str | None = None
    weight_column: str | None = None
    class_weights: str | dict[str, float] | None = None
    censor_column: str | None = None
    max_rows: int | None = None
    impute: Any = None
    missing_flag: Any = None
    encode: Any = None
    num_trials: int | None = None
    cv_folds: int | None = None
    metric: str | None = None
    time_budget: float | None = None
    offsets: dict[str, int | None] = field(default_factory=dict)


def split(options: tuple[Option, ...]) -> tuple[Common, list[Option]]:
    """The common options, checked, and the remaining options, which are hyperparameters."""
    common = {option.name.lower(): option for option in options if option.name.lower() in _CHECKS}
    values: dict[str, Any] = {}
    for name, option in common.items():
        holds, needed = _CHECKS[name]
        if not holds(option.value):
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"{option.name} must be {needed}, not {print_value(option.value)}.",
                offset=option.offset,
            )
        words = name in _WORDS and isinstance(option.value, str)
        values[name] = option.value.lower() if words else option.value
    offsets = {name: option.offset for name, option in common.items()}
    return Common(**values, offsets=offsets), [option for option in options if option.name.lower() not in _CHECKS]


def resolved(options_of_statement: Sequence[Option], job: Job, best: Trial | None) -> tuple[Option, ...]:
    """The options that reproduce the model from the same rows: task, seed and held-out share even if they were
    defaults, and hyperparameters as given or as a search found them.

    Args:
        options_of_statement: the statement's options, in this extension's own spelling.
        best: the trial whose hyperparameters the model has; None without a search.
    """
    options = {"task": job.signature.task, "seed": job.seed}
    if job.split_method in (RANDOM, SEQUENTIAL):
        options["test_fraction"] = job.test_fraction
    searched = best is not None
    for option in options_of_statement:
        name = option.name.lower()
        if name in _CHECKS and not (searched and name in _OF_SEARCHES):
            options[name] = option.value
    return tuple(
        Option(name, value) for name, value in {**options, **job.params, **(best.params if best else {})}.items()
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_each(value: Any, holds: Callable[[Any], bool]) -> bool:
    return all(map(holds, value.values())) if isinstance(value, dict) else holds(value)


def by_feature(name: str, common: Common, kinds: tuple[str, ...], features: tuple[Feature, ...]) -> dict[str, Any]:
    """An option's value for each feature of some kinds. The option holds one value for all, or {'feature': value}.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for a name that is not a feature of these kinds.
    """
    value = getattr(common, name)
    able = {feature.name.lower(): feature.name for feature in features if feature.kind in kinds}
    if value is None:
        return {}
    if not isinstance(value, dict):
        return dict.fromkeys(able.values(), value)
    for wrong in (key for key in value if key.lower() not in able):
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"{name} names {wrong}, which is not a {' or '.join(kinds)} feature.",
            hint=did_you_mean(wrong, able.values()),
            offset=common.offsets[name],
        )
    return {able[key.lower()]: one for key, one in value.items()}


def named_by(name: str, common: Common) -> set[str]:
    """The features that an option names, if its value is {'feature': value}."""
    value = getattr(common, name)
    return set(value) if isinstance(value, dict) else set()


def _is_names(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(one, str) for one in value)


def missing_flag(
    common: Common,
    estimator: Estimator | None,
    task: str,
    params: dict[str, Any],
    features: tuple[Feature, ...],
    impute: dict[str, Any],
) -> tuple[str, ...]:
    """The features that get an additional column which is 1 where their value is missing.

    Args:
        estimator: None if a search chooses among several.
        params: the estimator's hyperparameters that are not searched for.
        impute: the imputation of each feature.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for a feature that is not a number, and for an estimator that handles missing
            values itself.
    """
    value, numbers = common.missing_flag, (NUMBER, BOOLEAN, DATE, TIMESTAMP)
    named = replace(common, missing_flag=dict.fromkeys(value, True) if isinstance(value, tuple) else value)
    wanted = [name for name, flagged in by_feature("missing_flag", named, numbers, features).items() if flagged]
    if not wanted or estimator is None or not missing_values.are_taken(estimator, task, params):
        return tuple(wanted)
    # An estimator that handles missing values learns nothing from a flag, unless the feature is imputed.
    taken = [name for name in wanted if name not in impute]
    if taken and (value is not True or len(taken) == len(wanted)):
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"missing_flag has no effect with {estimator.name}, which handles missing values itself.",
            hint=f"Leave it out, or impute the feature: impute = {{{taken[0]!r}: 'median'}}.",
            offset=common.offsets["missing_flag"],
        )
    return tuple(name for name in wanted if name in impute)


def _is_weights(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(_is_number(weight) and weight >= 0 for weight in value.values())
    return str(value).lower() == BALANCED


# Options whose texts are keywords, not column names; they are compared in lower case.
_WORDS = ("class_weights", "metric", "split_method", "task")
# Options of a search, which mean nothing once its result is known.
_OF_SEARCHES = ("cv_folds", "metric", "num_trials", "time_budget")
_CHECKS: dict[str, tuple[Any, str]] = {
    "censor_column": (lambda value: isinstance(value, str), "a column's name"),
    "class_weights": (_is_weights, "'balanced' or a weight for each class: {'yes': 3, 'no': 1}"),
    "cv_folds": (lambda value: _is_count(value) and value >= 2, "an integer from 2"),
    "metric": (lambda value: isinstance(value, str), "the name of a metric, such as 'roc_auc'"),
    "num_trials": (lambda value: _is_count(value) and value >= 1, "an integer from 1"),
    "time_budget": (lambda value: _is_number(value) and value > 0, "a number of seconds above 0"),
    "encode": (
        lambda value: _is_each(value, lambda one: one in ENCODINGS),
        f"{', '.join(map(repr, ENCODINGS))}, or one of them for each feature: {{'city': 'target'}}",
    ),
    "impute": (
        lambda value: _is_each(value, lambda one: one in IMPUTATIONS or _is_number(one)),
        f"{', '.join(map(repr, IMPUTATIONS))} or a number, or one for each feature: {{'age': 'median'}}",
    ),
    "missing_flag": (
        lambda value: _is_each(value, lambda one: isinstance(one, bool)) or _is_names(value),
        "true, or a list of features such as ['age', 'income']",
    ),
    "max_rows": (lambda value: isinstance(value, int) and value is not True and value >= 1, "an integer from 1"),
    "split_column": (lambda value: isinstance(value, str), "a column's name"),
    "split_method": (lambda value: str(value).lower() in SPLIT_METHODS, ", ".join(map(repr, SPLIT_METHODS))),
    "task": (
        lambda value: str(value).lower() in _TASKS,
        ", ".join(map(repr, _TASKS)),
    ),
    "test_fraction": (lambda value: _is_number(value) and 0 <= value < 1, "a number from 0 to less than 1"),
    "seed": (
        lambda value: isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31,
        "an integer from 0",
    ),
    "weight_column": (lambda value: isinstance(value, str), "a column's name"),
    "tolerance": (lambda value: _is_number(value) and value >= 0, "a number from 0"),
}


def check_automatic(options: list[Option]) -> None:
    """Raises SqlmlError SQLML_OPTION_NOT_FOUND for an option that USING auto does not have."""
    for option in options:
        if option.name.lower() != "estimators":
            raise SqlmlError(
                "SQLML_OPTION_NOT_FOUND",
                f"USING auto has no option {option.name}, because it searches hyperparameters itself.",
                hint=did_you_mean(option.name, ["estimators", *_CHECKS])
                + " To search a hyperparameter, name its estimator: USING lightgbm OPTIONS (… = hparam_range(a, b)).",
                offset=option.offset,
            )


def hyperparameters(estimator: Estimator, options: list[Option]) -> tuple[dict[str, Any], dict[str, Search]]:
    """The hyperparameters under the library's own names: those with a value, and those to search for."""
    names = {name.lower(): name for name in estimator.params}
    values: dict[str, Any] = {}
    searched: dict[str, Search] = {}
    for option in options:
        if option.name.lower() not in names:
            raise SqlmlError(
                "SQLML_OPTION_NOT_FOUND",
                f"{estimator.name} has no option {option.name}.",
                hint=did_you_mean(option.name, [*estimator.params, *_CHECKS]),
                offset=option.offset,
            )
        name = names[option.name.lower()]
        if isinstance(option.value, Call):
            searched[name] = search(option)
        else:
            values[name] = option.value
    return values, searched
