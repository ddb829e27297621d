"""Adapter of CatBoost, LightGBM and XGBoost: builds and fits their scikit-learn estimators.

They handle missing values and categories themselves, and stop early on rows that are held out for that. Options whose
models cannot be exported to ONNX are refused by name before the fit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.estimators.estimator import CLASSIFICATION, REGRESSION, Estimator
from sqlml.estimators.library_classes import library_class
from sqlml.estimators.sklearn.rows import number_columns, text_columns
from sqlml.estimators.sklearn.split import stratified
from sqlml.jobs.job import LEAST_ROWS_TO_SPLIT, Job
from sqlml.signature import NUMBER, Feature

ENGINES = ("catboost", "lightgbm", "xgboost")
# Fixed in every training, so that the same rows give the same model with any number of threads.
_FIXED: dict[str, dict[str, Any]] = {
    # It would write a folder of logs into the current one.
    "catboost": {"allow_writing_files": False, "verbose": False},
    "lightgbm": {"deterministic": True, "force_row_wise": True, "verbose": -1},
    "xgboost": {"enable_categorical": True, "verbosity": 1},
}
# Option values that can be exported. Other values do not sum the trees' leaves, rank the rows of a group, or give
# labels without probabilities.
_VALUES: dict[tuple[str, str], dict[str, tuple[Any, ...]]] = {
    ("catboost", CLASSIFICATION): {"loss_function": ("Logloss", "MultiClass")},
    ("catboost", REGRESSION): {
        "loss_function": (
            *("RMSE", "MAE", "MAPE", "LogCosh", "Poisson"),
            # With a setting behind a colon, such as Quantile:alpha=0.9.
            *("Expectile", "Huber", "Lq", "Quantile", "Tweedie"),
        )
    },
    ("lightgbm", CLASSIFICATION): {"objective": ("binary", "multiclass", "softmax")},
    ("lightgbm", REGRESSION): {
        "objective": (
            *("regression", "regression_l2", "l2", "mse", "mean_squared_error", "rmse"),
            *("regression_l1", "l1", "mae", "mean_absolute_error"),
            *("huber", "fair", "quantile", "mape", "poisson", "gamma", "tweedie", "cross_entropy", "xentropy"),
        )
    },
    ("xgboost", CLASSIFICATION): {"objective": ("binary:logistic", "multi:softprob")},
    ("xgboost", REGRESSION): {
        "objective": (
            *("reg:squarederror", "reg:absoluteerror", "reg:squaredlogerror", "reg:pseudohubererror"),
            *("reg:quantileerror", "reg:logistic", "reg:gamma", "reg:tweedie", "count:poisson"),
        )
    },
}
_VALUES_OF_BOTH_TASKS: dict[str, dict[str, tuple[Any, ...]]] = {
    # With Forbidden a single row would end a query.
    "catboost": {"grow_policy": ("SymmetricTree", "Depthwise", "Lossguide"), "nan_mode": ("Min", "Max")},
    "lightgbm": {
        "boosting_type": ("gbdt", "dart", "goss"),
        "linear_tree": (False,),
        "zero_as_missing": (False,),
    },
    "xgboost": {"booster": ("gbtree",), "tree_method": ("auto", "hist", "approx")},
}
_SHARE_TO_STOP = 0.1


def check(estimator: Estimator, job: Job) -> None:
    """Raises SqlmlError SQLML_OPTION_INVALID for options whose models cannot be exported."""
    task = job.signature.task
    values = {**_VALUES_OF_BOTH_TASKS[estimator.engine], **_VALUES[estimator.engine, task]}
    for option, value in job.params.items():
        plain = value.partition(":")[0] if option == "loss_function" and isinstance(value, str) else value
        if option in values and plain not in values[option]:
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"{option} = {value!r} cannot be converted to ONNX for {task} by {estimator.library}.",
                hint=f"{option} can be {', '.join(map(repr, values[option]))}.",
            )
    # XGBoost takes 0 and less as no tree, and then predicts values that no tree ensemble can reproduce.
    for option in ("n_estimators", "iterations", "early_stopping_rounds"):
        rounds = job.params.get(option)
        if rounds is not None and (isinstance(rounds, bool) or not isinstance(rounds, int) or rounds < 1):
            raise SqlmlError("SQLML_OPTION_INVALID", f"{option} must be an integer from 1, not {rounds!r}.")
    rate = job.params.get("learning_rate")
    # CatBoost learns away from the target then.
    if estimator.engine == "catboost" and isinstance(rate, (int, float)) and rate <= 0:
        raise SqlmlError("SQLML_OPTION_INVALID", f"learning_rate must be above 0, not {rate!r}.")
    if isinstance(job.params.get("quantile_alpha"), (list, tuple)):
        raise SqlmlError(
            "SQLML_OPTION_INVALID", "quantile_alpha must be one number, because a model has one prediction."
        )
    _monotone(job.params.get("monotone_constraints", {}), job.signature.features)


def model(estimator: Estimator, job: Job, params: dict[str, Any], *, threads: int | None) -> Any:
    """The library's unfitted estimator with these hyperparameters.

    Raises:
        SqlmlError: SQLML_MISSING_PACKAGE.
    """
    kind = library_class(estimator, job.signature.task)
    features = job.signature.features
    known = {**params, **_FIXED[estimator.engine]}
    seed, of_threads = ("random_seed", "thread_count") if estimator.engine == "catboost" else ("random_state", "n_jobs")
    known |= {seed: job.seed, of_threads: threads}
    if "monotone_constraints" in params:
        directions = _monotone(params["monotone_constraints"], features)
        known["monotone_constraints"] = tuple(directions) if estimator.engine == "xgboost" else directions
    if estimator.engine == "xgboost":
        numbers = len(number_columns(features))
        known["feature_types"] = ["q"] * numbers + ["c"] * len(job.texts) + ["q"] * len(job.coded)
    return kind(**known)


def fit(
    model: Any, x: NDArray[np.float64], target: NDArray[Any], weights: NDArray[np.float64] | None, job: Job
) -> None:
    """Fits a model to the prepared matrix; with early stopping a tenth of the rows is held out for it.

    Raises:
        SqlmlError: SQLML_TOO_FEW_ROWS if no row can be held out for early stopping; SQLML_OPTION_INVALID and
            SQLML_ENGINE_FAILED for errors of the library.
    """
    settings: dict[str, Any] = {}
    _cover(model, x.shape[1])
    if type(model).__name__.startswith("LGBM"):
        numbers = len(number_columns(job.signature.features))
        settings["categorical_feature"] = list(range(numbers, numbers + len(job.texts)))
    else:
        settings["verbose"] = False
    if "early_stopping_rounds" in job.params:
        strata = target if job.signature.task == CLASSIFICATION else np.zeros(len(target), dtype=np.int64)
        stop = stratified(strata, _SHARE_TO_STOP)
        if not stop.any():
            raise SqlmlError(
                "SQLML_TOO_FEW_ROWS",
                "early_stopping_rounds holds out a tenth of the training rows, so it needs at least"
                f" {LEAST_ROWS_TO_SPLIT} rows.",
            )
        settings["eval_set"] = [(x[stop], target[stop])]
        if type(model).__name__.startswith("CatBoost"):
            settings["eval_set"] = _pool(x[stop], target[stop], None if weights is None else weights[stop])
        elif weights is not None:
            name = "eval_sample_weight" if type(model).__name__.startswith("LGBM") else "sample_weight_eval_set"
            settings[name] = [weights[stop]]
        x, target = x[~stop], target[~stop]
        weights = None if weights is None else weights[~stop]
    model.fit(x, target, sample_weight=weights, **settings)


def _pool(x: NDArray[np.float64], target: NDArray[Any], weights: NDArray[np.float64] | None) -> Any:
    """Rows as CatBoost takes them where they have weights."""
    import catboost

    return catboost.Pool(x, target, weight=weights)


def _cover(model: Any, width: int) -> None:
    """Extends per-column parameters to all columns: flags for missing values come last, and their number is only known
    after the preparation."""
    params = model.get_params()
    for name, other in (("feature_types", "q"), ("monotone_constraints", 0)):
        if params.get(name) is not None:
            columns = [*params[name], *[other] * (width - len(params[name]))]
            model.set_params(**{name: type(params[name])(columns)})


def effective(estimator: Estimator, model: Any) -> dict[str, Any]:
    """Hyperparameters as CatBoost and XGBoost's booster have used them; their Python objects leave out those that the
    user has not set."""
    if estimator.engine == "catboost":
        chosen = model.get_all_params()
        return {name: _shorter(chosen[name]) for name in estimator.params if name in chosen}
    if estimator.engine != "xgboost":
        return {}
    used = _settings(json.loads(model.get_booster().save_config())["learner"])
    used["n_estimators"] = model.get_num_boosting_rounds()
    params = model.get_params()
    return {name: used[name] for name in estimator.params if name in used and params.get(name) is None}


def _settings(config: Any) -> dict[str, Any]:
    """The leaves of XGBoost's configuration by name; numbers are float32."""
    found: dict[str, Any] = {}
    for name, value in config.items() if isinstance(config, dict) else ():
        if isinstance(value, str):
            found[name] = _number(value)
        else:
            found |= _settings(value)
    return found


def _shorter(value: Any) -> Any:
    """A float32 in the fewest digits that name it; other values as they are."""
    return float(str(np.float32(value))) if isinstance(value, float) else value


def _number(text: str) -> int | float | str:
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    return float(str(np.float32(text))) if re.fullmatch(r"-?\d+\.\d+(e-?\d+)?", text) else text


def complaint(error: Exception) -> str:
    """A library's error message in one line, without the position in its source."""
    line = re.sub(r"^(?:\[[\d:]+\] \S+|\S+\.(?:cpp|h):\d+): ", "", (str(error).strip() or repr(error)).splitlines()[0])
    return re.sub(r" at \S+, line \d+ \.$", "", line)


def _monotone(wanted: Any, features: Sequence[Feature]) -> list[int]:
    """The monotonicity constraint of each prepared column: 1 increasing, -1 decreasing, 0 none."""
    if not isinstance(wanted, dict):
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"monotone_constraints must be a map from features to directions, not {wanted!r}.",
            hint="Write, for example, monotone_constraints = {'age': 1, 'price': -1}.",
        )
    by_name = {feature.name.lower(): feature for feature in features}
    directions: dict[str, int] = {}
    for name, direction in wanted.items():
        feature = by_name.get(str(name).lower())
        if feature is None:
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"monotone_constraints names {name!r}, which is not a feature.",
                hint=did_you_mean(str(name), [feature.name for feature in features]),
            )
        if feature.kind != NUMBER:
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"monotone_constraints names {feature.name}, which is {feature.type.upper()} and not a number.",
            )
        if isinstance(direction, bool) or direction not in (-1, 0, 1):
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"monotone_constraints of {feature.name} must be 1 (increasing), -1 (decreasing) or 0, not"
                f" {direction!r}.",
            )
        directions[feature.name] = direction
    columns = [feature.name for feature, _, _ in number_columns(features)]
    return [directions.get(name, 0) for name in columns] + [0] * len(text_columns(features))
