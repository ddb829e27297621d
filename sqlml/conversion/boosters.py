"""Boosters of LightGBM and XGBoost without their scikit-learn class, as objects that have one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from sqlml.errors import SqlmlError

# Objectives of a classifier, by the first word of their name.
_CLASSIFICATION = ("binary", "multi", "multiclass")
# Objectives of LightGBM without an emitter.
_WITHOUT_EMITTER = ("", "custom", "multiclassova")


def as_estimator(model: Any) -> Any:
    """Returns a model with a scikit-learn interface for a booster, and any other model as it is."""
    package = type(model).__module__.split(".")[0]
    if type(model).__name__ != "Booster":
        return model
    return _of_xgboost(model) if package == "xgboost" else _of_lightgbm(model)


def _of_xgboost(booster: Any) -> Any:
    import json

    import xgboost

    objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
    kind = xgboost.XGBClassifier if objective.split(":")[0] in _CLASSIFICATION else xgboost.XGBRegressor
    if objective == "multi:softmax":
        raise SqlmlError(
            "SQLML_MODEL_REFUSED",
            "The booster has the objective multi:softmax, which has no probabilities.",
            hint="Train it with multi:softprob.",
        )
    found = kind()
    found.load_model(bytearray(booster.save_raw("json")))
    # A booster predicts by all of its trees, and its scikit-learn class by those up to the best iteration.
    found.get_booster().set_attr(best_iteration=None)
    return found


def unsupported(model: Any) -> str:
    """Returns why a booster has no converter, as a clause whose subject is its class; "" if it may have one."""
    import json

    name = type(model).__name__
    if name.startswith("XGB") and getattr(model, "_Booster", None) is not None:
        kind = json.loads(model.get_booster().save_config())["learner"]["gradient_booster"]["name"]
        if kind != "gbtree":
            return f"has the booster {kind}, and only trees (gbtree) are converted"
        if not np.isnan(model.missing):
            return f"takes {model.missing} for a missing value; only models that take NaN are converted"
    if name.startswith("CatBoost") and model.is_fitted() and model.get_cat_feature_indices():
        return "splits on categories, and only splits on numbers are converted"
    return ""


def _of_lightgbm(booster: Any) -> Any:
    objective = _objective(booster)
    if objective in _WITHOUT_EMITTER:
        what = f"the objective {objective}" if objective else "an objective of its own"
        raise SqlmlError(
            "SQLML_MODEL_REFUSED",
            f"The booster has {what}, which cannot be converted.",
            hint="Train it with an objective of LightGBM's, for several classes with multiclass.",
        )
    return LGBMClassifier(booster) if objective in _CLASSIFICATION else LGBMRegressor(booster)


def _objective(booster: Any) -> str:
    """The objective's canonical name, from LightGBM's text format; "" for a function."""
    lines = booster.model_to_string(num_iteration=1).splitlines()
    found = next((line.partition("=")[2] for line in lines if line.startswith("objective=")), "")
    return found.split()[0] if found else ""


class _Booster(BaseEstimator):
    """An adapter: the attributes of LightGBM's scikit-learn classes that its emitter reads."""

    def __init__(self, booster: Any = None) -> None:
        self.booster = booster

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @property
    def booster_(self) -> Any:
        return self.booster

    @property
    def best_iteration_(self) -> int | None:
        return self.booster.best_iteration if self.booster.best_iteration > 0 else None

    @property
    def feature_names_in_(self) -> Any:
        return np.array(self.booster.feature_name())

    @property
    def n_features_in_(self) -> int:
        return int(self.booster.num_feature())


class LGBMRegressor(RegressorMixin, _Booster):
    def predict(self, rows: Any) -> NDArray[Any]:
        return np.asarray(self.booster.predict(rows))


class LGBMClassifier(ClassifierMixin, _Booster):
    """Its labels are 0, 1, …: a booster knows no others."""

    @property
    def classes_(self) -> NDArray[np.int64]:
        return np.arange(max(2, self.booster.num_model_per_iteration()))

    def predict_proba(self, rows: Any) -> NDArray[Any]:
        found = np.asarray(self.booster.predict(rows))
        return np.stack([1.0 - found, found], axis=1) if found.ndim == 1 else found

    def predict(self, rows: Any) -> NDArray[Any]:
        return self.classes_[self.predict_proba(rows).argmax(axis=1)]
