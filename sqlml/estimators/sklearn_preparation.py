"""scikit-learn's side of a Preparation: its own transformers, and what they have learned as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from sqlml.errors import SqlmlError
from sqlml.estimators import Estimator
from sqlml.estimators.preparation import (
    MAX_CATEGORIES,
    MOST_DISTINCT_ROWS,
    CategoryColumn,
    NumberColumn,
    Preparation,
)
from sqlml.estimators.sklearn_rows import number_columns, text_columns
from sqlml.signature import Feature

# What computes in float32 rounds x to it and refuses what does not fit; the graph rounds too, and lets it pass.
_LARGEST_FLOAT32 = float(np.finfo(np.float32).max)


def steps(estimator: Estimator, features: Sequence[Feature], *, one_hot: bool) -> list[tuple[str, Any]]:
    """The steps of a Pipeline from `sklearn_rows.frame` to the prepared matrix.

    Args:
        one_hot: whether a text is a block of 0 and 1; otherwise it is one number.
    """
    of_numbers: list[tuple[str, Any]] = []
    if not estimator.missing:
        of_numbers.append(("impute", SimpleImputer(strategy="mean", keep_empty_features=True)))
    if estimator.scale:
        of_numbers.append(("scale", StandardScaler()))
    columns: list[tuple[str, Any, list[str]]] = []
    numbers = [name for _, _, name in number_columns(features)]
    if numbers:
        columns.append(("numbers", Pipeline(of_numbers) if of_numbers else "passthrough", numbers))
    texts = [name for _, name in text_columns(features)]
    if texts:
        columns.append(("texts", _Texts(one_hot=one_hot, nowhere=np.nan if estimator.missing else -1.0), texts))
    found: list[tuple[str, Any]] = [("prepare", ColumnTransformer(columns))]
    if estimator.single:
        bounds = {"a_min": -_LARGEST_FLOAT32, "a_max": _LARGEST_FLOAT32}
        found.append(("clip", FunctionTransformer(np.clip, kw_args=bounds)))
    return found


def check(estimator: Estimator, train: pd.DataFrame, features: Sequence[Feature]) -> None:
    """Raises SqlmlError SQLML_FEATURE_UNUSABLE for a text whose values are all different, and for numbers so large
    that their mean, or where the estimator scales their variance, is infinite."""
    for feature, _, name in [] if estimator.missing else number_columns(features):
        values = train[name].to_numpy()
        with np.errstate(over="ignore"):
            total = np.nansum(np.square(values) if estimator.scale else values)
        if not np.isfinite(total):
            raise SqlmlError(
                "SQLML_FEATURE_UNUSABLE",
                f"The values of {feature.name} are too large: their mean or their variance is infinite.",
                hint="Divide the column, or take its logarithm, in the query.",
            )
    for feature, name in text_columns(features):
        if MOST_DISTINCT_ROWS < len(train) == len(set(train[name])):
            raise SqlmlError(
                "SQLML_FEATURE_UNUSABLE",
                f"Every value of the text column {feature.name} is different, so nothing can be learned from it.",
                hint="Leave it out: FEATURES * EXCEPT (…).",
            )


def learned(fitted: ColumnTransformer, features: Sequence[Feature]) -> Preparation:
    """What the transformers have learned."""
    return Preparation(_numbers(fitted, features), _categories(fitted, features))


def _numbers(fitted: ColumnTransformer, features: Sequence[Feature]) -> tuple[NumberColumn, ...]:
    columns = number_columns(features)
    if not columns:
        return ()
    of_numbers = getattr(fitted.named_transformers_["numbers"], "named_steps", {})
    means, scales = np.zeros(len(columns)), np.ones(len(columns))
    if "scale" in of_numbers:
        means, scales = of_numbers["scale"].mean_, of_numbers["scale"].scale_
    imputed: list[float | None] = [None] * len(columns)
    if "impute" in of_numbers:
        imputed = of_numbers["impute"].statistics_.tolist()
    return tuple(
        NumberColumn(feature.name, part, value, float(mean), float(scale))
        for (feature, part, _), value, mean, scale in zip(columns, imputed, means, scales, strict=True)
    )


def _categories(fitted: ColumnTransformer, features: Sequence[Feature]) -> tuple[CategoryColumn, ...]:
    columns = text_columns(features)
    if not columns:
        return ()
    found = []
    for (feature, _), encoder in zip(columns, fitted.named_transformers_["texts"].encoders_, strict=True):
        rare = encoder.infrequent_categories_[0]
        left_out = set() if rare is None else set(rare)
        kept = tuple(str(name) for name in encoder.categories_[0] if name not in left_out)
        found.append(CategoryColumn(feature.name, kept, other=bool(left_out)))
    return tuple(found)


class _Texts(TransformerMixin, BaseEstimator):
    """Texts as one-hot blocks, or each as one number: the place of the 1 in its block, `nowhere` if there is none."""

    def __init__(self, *, one_hot: bool, nowhere: float) -> None:
        self.one_hot = one_hot
        self.nowhere = nowhere

    def fit(self, texts: pd.DataFrame, target: Any = None) -> _Texts:
        self.encoders_ = [self._encoder().fit(texts[[name]]) for name in texts.columns]
        return self

    def transform(self, texts: pd.DataFrame) -> NDArray[np.float64]:
        pairs = zip(self.encoders_, texts.columns, strict=True)
        return np.hstack([self._numbers(encoder.transform(texts[[name]])) for encoder, name in pairs])

    def _encoder(self) -> OneHotEncoder:
        # The column for the rest counts as one of max_categories.
        return OneHotEncoder(
            max_categories=MAX_CATEGORIES + 1,
            handle_unknown="infrequent_if_exist",
            sparse_output=False,
            dtype=np.float64 if self.one_hot else np.uint8,
        )

    def _numbers(self, block: NDArray[Any]) -> NDArray[np.float64]:
        if self.one_hot:
            return block
        places: NDArray[np.float64] = np.where(block.any(axis=1), block.argmax(axis=1), self.nowhere)
        return places.reshape(-1, 1)
