"""Wrappers of scikit-learn estimators that standardize the target or clip the input. The exported graph undoes the
standardization and omits the clip; `sqlml.export.sklearn.combined.last_step` says why."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from sqlml.estimators.sklearn.transformers import within_float32


class StandardizedTarget(RegressorMixin, BaseEstimator):
    """A regressor that is fitted to the standardized target and predicts in the target's own units.

    Networks and kernel machines assume a target of about unit scale: step sizes, regularization and `epsilon` are
    absolute numbers.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, X: Any, y: NDArray[np.float64], sample_weight: Any = None) -> StandardizedTarget:  # noqa: N803
        self.mean_, self.scale_ = float(np.mean(y)), float(np.std(y)) or 1.0
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        self.model_ = clone(self.model).fit(X, (y - self.mean_) / self.scale_, **weights)
        self.n_features_in_ = self.model_.n_features_in_
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        return np.asarray(self.model_.predict(X)) * self.scale_ + self.mean_


class WithinFloat32(Pipeline):
    """A Pipeline that clips its input to float32's range, for an estimator that computes in float32."""

    @classmethod
    def of(cls, model: Any) -> WithinFloat32:
        return cls([("clip", FunctionTransformer(within_float32)), ("model", model)])

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> WithinFloat32:  # noqa: N803
        super().fit(X, y, **({} if sample_weight is None else {"model__sample_weight": sample_weight}))
        return self


def inner(model: Any) -> Any:
    """The estimator inside a StandardizedTarget, fitted if the wrapper is; any other model as it is."""
    if isinstance(model, StandardizedTarget):
        return getattr(model, "model_", model.model)
    return model
