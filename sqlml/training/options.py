"""OPTIONS of TRAIN MODEL: those that every estimator has, and an estimator's hyperparameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.estimators import (
    ANOMALY_DETECTION,
    CLASSIFICATION,
    CLUSTERING,
    DIMENSIONALITY_REDUCTION,
    REGRESSION,
    Estimator,
)
from sqlml.estimators.job import BALANCED, SPLIT_METHODS
from sqlml.estimators.preparation import ENCODINGS, IMPUTATIONS
from sqlml.grammar import Call, Option
from sqlml.printing import print_value
from sqlml.signature import Feature
from sqlml.training.searches import Search, search

DEFAULT_SEED = 42
_TASKS = (CLASSIFICATION, REGRESSION, CLUSTERING, ANOMALY_DETECTION, DIMENSIONALITY_REDUCTION)


@dataclass(frozen=True)
class Common:
    """The options every estimator has."""

    task: str | None = None
    test_fraction: float | None = None
    seed: int = DEFAULT_SEED
    tolerance: float = 1e-6
    split_method: str | None = None
    split_column: str | None = None
    weight_column: str | None = None
    class_weights: str | dict[str, float] | None = None
    max_rows: int | None = None
    impute: Any = None
    encode: Any = None
    num_trials: int | None = None
    cv_folds: int | None = None
    metric: str | None = None
    time_budget: float | None = None
    offsets: dict[str, int | None] = field(default_factory=dict)


def split(options: tuple[Option, ...]) -> tuple[Common, list[Option]]:
    """The options every estimator has, checked, and the rest, which are hyperparameters."""
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


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_each(value: Any, holds: Callable[[Any], bool]) -> bool:
    return all(map(holds, value.values())) if isinstance(value, dict) else holds(value)


def by_feature(name: str, common: Common, kinds: tuple[str, ...], features: tuple[Feature, ...]) -> dict[str, Any]:
    """An option that says something of each feature of some kinds: one value for all, or {'feature': value}.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for what is no such feature.
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
            f"{name} names {wrong}, which is no feature of {' or '.join(kinds)}.",
            hint=did_you_mean(wrong, able.values()),
            offset=common.offsets[name],
        )
    return {able[key.lower()]: one for key, one in value.items()}


def _is_weights(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(_is_number(weight) and weight >= 0 for weight in value.values())
    return str(value).lower() == BALANCED


# Options whose texts are words of ours and not names of columns.
_WORDS = ("class_weights", "metric", "split_method", "task")
_CHECKS: dict[str, tuple[Any, str]] = {
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
    "max_rows": (lambda value: isinstance(value, int) and value is not True and value >= 1, "an integer from 1"),
    "split_column": (lambda value: isinstance(value, str), "a column's name"),
    "split_method": (lambda value: str(value).lower() in SPLIT_METHODS, ", ".join(map(repr, SPLIT_METHODS))),
    "task": (
        lambda value: str(value).lower() in _TASKS,
        ", ".join(map(repr, _TASKS)),
    ),
    "test_fraction": (lambda value: _is_number(value) and 0 <= value < 1, "a number from 0 to below 1"),
    "seed": (
        lambda value: isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31,
        "an integer from 0",
    ),
    "weight_column": (lambda value: isinstance(value, str), "a column's name"),
    "tolerance": (lambda value: _is_number(value) and value >= 0, "a number from 0"),
}


def check_automatic(given: list[Option]) -> None:
    """Raises SqlmlError SQLML_OPTION_NOT_FOUND for an option that USING auto does not have."""
    for option in given:
        if option.name.lower() != "estimators":
            raise SqlmlError(
                "SQLML_OPTION_NOT_FOUND",
                f"auto searches hyperparameters itself and has no option {option.name}.",
                hint=did_you_mean(option.name, ["estimators", *_CHECKS])
                + " A hyperparameter belongs to an estimator: USING lightgbm OPTIONS (… = hparam_range(a, b)).",
                offset=option.offset,
            )


def hyperparameters(estimator: Estimator, options: list[Option]) -> tuple[dict[str, Any], dict[str, Search]]:
    """The other options by the library's own names: values, and what is to be searched for them."""
    names = {name.lower(): name for name in estimator.params}
    given: dict[str, Any] = {}
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
            given[name] = option.value
    return given, searched
