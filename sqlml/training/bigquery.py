"""Translation of BigQuery ML's OPTIONS into this extension's: `OPTIONS (model_type = 'logistic_reg', …)`.

The names are from BigQuery's reference pages of CREATE MODEL for generalized linear models, k-means, boosted trees,
random forests, deep neural networks and AutoML. An option without a counterpart is refused; none is dropped silently.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.estimators import CLASSIFICATION, REGRESSION, Estimator
from sqlml.jobs.job import BALANCED, BY_COLUMN, NO_SPLIT, RANDOM, SEQUENTIAL
from sqlml.parser.cursor import Column, Option
from sqlml.parser.literals import Call
from sqlml.training.request import Request

# BigQuery's model types, each with its estimator and, if the name implies one, its task.
_MODEL_TYPES: dict[str, tuple[str, str | None]] = {
    "automl_classifier": ("auto", CLASSIFICATION),
    "automl_regressor": ("auto", REGRESSION),
    "boosted_tree_classifier": ("xgboost", CLASSIFICATION),
    "boosted_tree_regressor": ("xgboost", REGRESSION),
    "dnn_classifier": ("neural_network", CLASSIFICATION),
    "dnn_regressor": ("neural_network", REGRESSION),
    "kmeans": ("k_means", None),
    "linear_reg": ("linear_regression", REGRESSION),
    "logistic_reg": ("logistic_regression", CLASSIFICATION),
    "pca": ("pca", None),
    "random_forest_classifier": ("random_forest", CLASSIFICATION),
    "random_forest_regressor": ("random_forest", REGRESSION),
}
_DEFAULT_TARGET = "label"
_SPLIT_METHODS = {"random": RANDOM, "custom": BY_COLUMN, "seq": SEQUENTIAL, "no_split": NO_SPLIT}
_OBJECTIVES = {
    "davies_bouldin_index": "davies_bouldin",
    "f1_score": "f1",
    "mean_absolute_error": "mae",
    # The square and its root have the same minimum.
    "mean_squared_error": "rmse",
    "median_absolute_error": "median_absolute_error",
    "r2_score": "r2",
}
# Objectives of AutoML.
_OPTIMIZATIONS = {
    "maximize_au_prc": "pr_auc",
    "maximize_au_roc": "roc_auc",
    "minimize_log_loss": "log_loss",
    "minimize_mae": "mae",
    "minimize_rmse": "rmse",
}
_SECONDS_AN_HOUR = 3600
_ACTIVATIONS = {"sigmoid": "logistic"}
_INITS = {"kmeans++": "k-means++"}

# BigQuery's hyperparameters and their names by library.
_HYPERPARAMETERS: dict[str, dict[str, str]] = {
    "activation_fn": {"sklearn": "activation"},
    "batch_size": {"sklearn": "batch_size"},
    "booster_type": {"xgboost": "booster"},
    "colsample_bylevel": {"xgboost": "colsample_bylevel"},
    "colsample_bynode": {"xgboost": "colsample_bynode"},
    "colsample_bytree": {"xgboost": "colsample_bytree"},
    "hidden_units": {"sklearn": "hidden_layer_sizes", "mllib": "layers"},
    "kmeans_init_method": {"sklearn": "init"},
    "l1_reg": {"xgboost": "reg_alpha"},
    "l2_reg": {"xgboost": "reg_lambda", "mllib": "regParam"},
    "learn_rate": {"xgboost": "learning_rate", "sklearn": "learning_rate_init"},
    "max_iterations": {"sklearn": "max_iter", "mllib": "maxIter", "xgboost": "n_estimators"},
    "max_tree_depth": {"sklearn": "max_depth", "mllib": "maxDepth", "xgboost": "max_depth"},
    "min_rel_progress": {"sklearn": "tol", "mllib": "tol"},
    "min_split_loss": {"xgboost": "gamma"},
    "min_tree_child_weight": {"xgboost": "min_child_weight"},
    "num_clusters": {"sklearn": "n_clusters", "mllib": "k"},
    "num_principal_components": {"sklearn": "n_components", "mllib": "k"},
    "num_parallel_tree": {"sklearn": "n_estimators", "mllib": "numTrees", "xgboost": "num_parallel_tree"},
    "subsample": {"xgboost": "subsample", "mllib": "subsamplingRate"},
    "tree_method": {"xgboost": "tree_method"},
}


def is_bigquery(request: Request) -> bool:
    """True if the statement uses BigQuery's spelling, that is, has the option `model_type`."""
    return any(option.name.lower() == "model_type" for option in request.options)


def translate(request: Request) -> Request:
    """The request with estimator, target and common options translated. Hyperparameters stay as they are, because their
    names depend on the library, which is chosen later: see `hyperparameters`.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID.
    """
    by_name = {option.name.lower(): option for option in request.options}
    kind = by_name.pop("model_type")
    found = _MODEL_TYPES.get(str(kind.value).lower())
    if found is None:
        hint = did_you_mean(str(kind.value), _MODEL_TYPES, limit=20)
        raise _invalid(kind, f"model_type {kind.value!r} is not supported.", hint)
    if request.estimator is not None:
        raise _invalid(kind, "USING and model_type both name an estimator. Use only one of them.")
    estimator, task = found
    target = request.target
    labels = by_name.pop("input_label_cols", None)
    if labels is not None:
        if target is not None:
            raise _invalid(labels, "TARGET and input_label_cols both name the target. Use only one of them.")
        target = _label(labels)
    elif target is None and task is not None:
        target = Column(_DEFAULT_TARGET, kind.offset)
    # Pairs of a given option and its translation; errors point at the former.
    made = [] if task is None or "task" in by_name else [(kind, Option("task", task, kind.offset))]
    if estimator == "linear_regression":
        estimator, penalties = _penalized(by_name)
        made += penalties
    if estimator == "logistic_regression" and "l2_reg" in by_name and by_name["l2_reg"].value == 0:
        del by_name["l2_reg"]
    known = {**_COMMON, **_AUTOML} if estimator == "auto" else _COMMON
    for name, option in by_name.items():
        made += [(option, one) for one in (known[name](option) if name in known else [option])]
    options = _each_once(made)
    return replace(request, estimator=estimator, estimator_offset=kind.offset, target=target, options=options)


def _each_once(made: list[tuple[Option, Option]]) -> tuple[Option, ...]:
    """The translations out of (given option, translation) pairs; raises if two given options have the same
    translation."""
    seen: dict[str, Option] = {}
    for option, one in made:
        other = seen.setdefault(one.name.lower(), option)
        if other is not option:
            raise _invalid(option, f"{other.name} and {option.name} both set {one.name}. Use only one of them.")
    return tuple(one for _, one in made)


def hyperparameters(estimator: Estimator, options: list[Option]) -> list[Option]:
    """Hyperparameters under the library's own names.

    Raises:
        SqlmlError: SQLML_OPTION_NOT_FOUND for an option without a counterpart in this estimator.
    """
    known = {name.lower() for name in estimator.params}
    made = []
    for option in options:
        if option.name.lower() == "l2_reg" and estimator.name == "sklearn.logistic_regression":
            made.append((option, _inverse(option)))
            continue
        name = _HYPERPARAMETERS.get(option.name.lower(), {}).get(estimator.engine, option.name)
        if name.lower() not in known:
            mine = [
                spelling
                for spelling, names in _HYPERPARAMETERS.items()
                if names.get(estimator.engine, "").lower() in known
            ]
            raise SqlmlError(
                "SQLML_OPTION_NOT_FOUND",
                f"{estimator.name} does not support the option {option.name}.",
                hint=did_you_mean(option.name, [*mine, *_COMMON], limit=20),
                offset=option.offset,
            )
        made.append((option, Option(name, _value(name, option.value), option.offset)))
    return list(_each_once(made))


def _value(name: str, value: Any) -> Any:
    """A value in lower case, inside of lists and search candidates too: BigQuery's keywords are upper case."""
    if isinstance(value, Call):
        return Call(value.name, tuple(_value(name, argument) for argument in value.arguments))
    if isinstance(value, tuple):
        return tuple(_value(name, item) for item in value)
    if not isinstance(value, str):
        return value
    word = value.lower()
    return {"activation": _ACTIVATIONS, "init": _INITS}.get(name, {}).get(word, word)


def _label(option: Option) -> Column:
    if isinstance(option.value, tuple) and len(option.value) == 1 and isinstance(option.value[0], str):
        return Column(option.value[0], option.offset)
    raise _invalid(option, "input_label_cols must name one column: input_label_cols = ['name'].")


def _penalized(by_name: dict[str, Option]) -> tuple[str, list[tuple[Option, Option]]]:
    """The estimator for linear regression with a penalty, and its `alpha` with the option that gave it: l2_reg means
    ridge regression, l1_reg the lasso, and 0 no penalty."""
    both = [by_name.pop(name, None) for name in ("l1_reg", "l2_reg")]
    l1, l2 = (None if option is not None and option.value == 0 else option for option in both)
    if l1 is not None and l2 is not None:
        hint = "USING elastic_net has alpha and l1_ratio."
        raise _invalid(
            l1, "l1_reg and l2_reg cannot be combined, because the scales of their counterparts differ.", hint
        )
    option = l1 or l2
    if option is None:
        return "linear_regression", []
    return "lasso" if l1 else "ridge", [(option, Option("alpha", option.value, option.offset))]


def _inverse(option: Option) -> Option:
    """Converts l2_reg into scikit-learn's C, which is the inverse of the penalty's strength."""
    if not isinstance(option.value, (int, float)) or option.value <= 0:
        hint = "To search, use C = hparam_range(…) with USING logistic_regression."
        raise _invalid(option, "l2_reg of a logistic regression must be a number above 0.", hint)
    return Option("C", 1.0 / option.value, option.offset)


def _split_method(option: Option) -> list[Option]:
    word = str(option.value).lower()
    if word == "auto_split":
        return []
    if word not in _SPLIT_METHODS:
        raise _invalid(option, f"data_split_method {option.value!r} is not supported.")
    return [Option("split_method", _SPLIT_METHODS[word], option.offset)]


def _automatic_weights(option: Option) -> list[Option]:
    if not isinstance(option.value, bool):
        raise _invalid(option, f"auto_class_weights must be TRUE or FALSE, not {option.value!r}.")
    return [Option("class_weights", BALANCED, option.offset)] if option.value else []


def _class_weights(option: Option) -> list[Option]:
    """Converts [STRUCT('yes', 0.8), STRUCT('no', 0.2)] into a dictionary; this extension's own form stays as it is."""
    if not isinstance(option.value, tuple):
        return [option]
    pairs = [item.arguments for item in option.value if isinstance(item, Call) and len(item.arguments) == 2]
    if len(pairs) != len(option.value):
        raise _invalid(
            option, "class_weights must be a list of pairs, such as [STRUCT('yes', 0.8), STRUCT('no', 0.2)]."
        )
    return [Option("class_weights", {str(label): weight for label, weight in pairs}, option.offset)]


def _objective(option: Option) -> list[Option]:
    if not isinstance(option.value, tuple) or len(option.value) != 1:
        raise _invalid(option, "hparam_tuning_objectives must have one metric, such as ['roc_auc'].")
    word = str(option.value[0]).lower()
    return [Option("metric", _OBJECTIVES.get(word, word), option.offset)]


def _budget(option: Option) -> list[Option]:
    value = option.value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        raise _invalid(option, f"budget_hours must be a number of hours above 0, not {value!r}.")
    return [Option("time_budget", value * _SECONDS_AN_HOUR, option.offset)]


def _optimization(option: Option) -> list[Option]:
    word = str(option.value).lower()
    if word not in _OPTIMIZATIONS:
        hint = did_you_mean(word, _OPTIMIZATIONS, limit=20)
        raise _invalid(option, f"optimization_objective {option.value!r} is not supported.", hint)
    return [Option("metric", _OPTIMIZATIONS[word], option.offset)]


def _renamed(name: str) -> Callable[[Option], list[Option]]:
    return lambda option: [Option(name, option.value, option.offset)]


def _invalid(option: Option, message: str, hint: str = "") -> SqlmlError:
    return SqlmlError("SQLML_OPTION_INVALID", message, hint=hint, offset=option.offset)


# Options of every model, each with a function that translates it.
_COMMON: dict[str, Callable[[Option], list[Option]]] = {
    "auto_class_weights": _automatic_weights,
    "class_weights": _class_weights,
    "data_split_col": _renamed("split_column"),
    "data_split_eval_fraction": _renamed("test_fraction"),
    "data_split_method": _split_method,
    "hparam_tuning_objectives": _objective,
}
# Options of AutoML only.
_AUTOML: dict[str, Callable[[Option], list[Option]]] = {
    "budget_hours": _budget,
    "optimization_objective": _optimization,
}
