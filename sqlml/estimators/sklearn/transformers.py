"""Transformers of the ColumnTransformer: imputation, scaling and encoding by scikit-learn's own classes, with less
memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder

from sqlml.jobs.preparation import MAX_CATEGORIES, TARGET

# Batch sizes: so many rows fit the processor's cache; so many cells are at least no more than one column.
_ROWS_AT_ONCE, _CELLS_AT_ONCE = 8_192, 1_000_000
_LARGEST_FLOAT32 = float(np.finfo(np.float32).max)

Learned = tuple[list[str], NDArray[np.float64], float]
"""Categories, their codes, and the code of any other text."""


class Columns(ColumnTransformer):
    """A ColumnTransformer that does not copy the matrix if a single transformer makes all of it."""

    def _hstack(self, Xs: list[Any], **settings: Any) -> Any:  # noqa: N803  scikit-learn's name
        if len(Xs) == 1 and isinstance(Xs[0], np.ndarray):
            return Xs[0]
        return super()._hstack(Xs, **settings)


class Numbers(TransformerMixin, BaseEstimator):
    """Imputes and scales numbers like SimpleImputer and StandardScaler, a few columns at a time. On all columns at once
    these need two to three times the memory of the result.

    Args:
        wanted: for each column a strategy of SimpleImputer, a number, or None to leave the column unchanged.
        scale: True to standardize to mean 0 and deviation 1.
        row_major: True for a row-major matrix, False for a column-major one.
        least_known: an unchanged column with fewer known numbers than this is imputed with their mean.
    """

    def __init__(self, wanted: list[str | float | None], *, scale: bool, row_major: bool, least_known: int = 0) -> None:
        self.wanted = wanted
        self.scale = scale
        self.row_major = row_major
        self.least_known = least_known

    def fit(self, numbers: pd.DataFrame, target: Any = None) -> Numbers:
        """Learns the imputed value, mean and deviation of each column."""
        columns = (numbers[name].to_numpy() for name in numbers.columns)
        pairs = zip(columns, self.wanted, strict=True)
        self.values_ = [_value(column, wanted, self.least_known) for column, wanted in pairs]
        self.mean_, self.scale_ = np.zeros(numbers.shape[1]), np.ones(numbers.shape[1])
        step = max(1, _CELLS_AT_ONCE // len(numbers))
        for start in range(0, numbers.shape[1], step) if self.scale else ():
            some = slice(start, start + step)
            scaler = StandardScaler().fit(self._imputed(numbers.iloc[:, some], some))
            self.mean_[some], self.scale_[some] = scaler.mean_, scaler.scale_
        return self

    def transform(self, numbers: pd.DataFrame) -> NDArray[np.float64]:
        """The imputed and scaled matrix; without a copy if nothing changes."""
        if not self.scale and not self._has_gaps(numbers):
            return numbers.to_numpy()
        x = np.empty(numbers.shape, order="C" if self.row_major else "F")
        for start in range(0, len(x), _ROWS_AT_ONCE):
            some = slice(start, start + _ROWS_AT_ONCE)
            x[some] = self._imputed(numbers.iloc[some], slice(None))
            if self.scale:
                x[some] -= self.mean_
                x[some] /= self.scale_
        return x

    def _imputed(self, numbers: pd.DataFrame, columns: slice) -> NDArray[np.float64]:
        x = numbers.to_numpy(copy=True)
        for index, value in enumerate(self.values_[columns]):
            if value is not None:
                x[np.isnan(x[:, index]), index] = value
        return x

    def _has_gaps(self, numbers: pd.DataFrame) -> bool:
        """True if there is a value to impute."""
        pairs = zip(numbers.columns, self.values_, strict=True)
        return any(value is not None and np.isnan(numbers[name].to_numpy()).any() for name, value in pairs)


def _value(column: NDArray[np.float64], wanted: str | float | None, least_known: int) -> float | None:
    """The number to impute in a column; None to leave gaps."""
    if wanted is None and np.count_nonzero(~np.isnan(column)) < least_known:
        wanted = "mean"
    if wanted is None or not isinstance(wanted, str):
        return None if wanted is None else float(wanted)
    # A column without any number is imputed with 0.
    imputer = SimpleImputer(strategy=wanted, keep_empty_features=True).fit(column.reshape(-1, 1))
    return float(imputer.statistics_[0])


def within_float32(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """x, or a copy clipped to float32's range. Estimators that compute in float32 refuse larger numbers, but the ONNX
    graph rounds them."""
    if any((np.abs(column) > _LARGEST_FLOAT32).any() for column in x.T):
        return np.clip(x, -_LARGEST_FLOAT32, _LARGEST_FLOAT32)
    return x


class Texts(TransformerMixin, BaseEstimator):
    """One-hot encodes texts, or encodes each as one number: the index of the 1 in its block, `nowhere` if there is
    none."""

    def __init__(self, *, one_hot: bool, nowhere: float) -> None:
        self.one_hot = one_hot
        self.nowhere = nowhere

    def fit(self, texts: pd.DataFrame, target: Any = None) -> Texts:
        self.encoders_ = [self._encoder().fit(texts[[name]]) for name in texts.columns]
        return self

    def transform(self, texts: pd.DataFrame) -> NDArray[np.float64]:
        pairs = zip(self.encoders_, texts.columns, strict=True)
        return np.hstack([self._numbers(encoder.transform(texts[[name]])) for encoder, name in pairs])

    def _encoder(self) -> OneHotEncoder:
        # scikit-learn counts the column for infrequent categories as one of max_categories.
        return OneHotEncoder(
            max_categories=MAX_CATEGORIES + 1,
            handle_unknown="infrequent_if_exist",
            sparse_output=False,
            dtype=np.float64 if self.one_hot else np.uint8,
        )

    def _numbers(self, block: NDArray[Any]) -> NDArray[np.float64]:
        if self.one_hot:
            return block
        codes: NDArray[np.float64] = np.where(block.any(axis=1), block.argmax(axis=1), self.nowhere)
        return codes.reshape(-1, 1)


class Codes(TransformerMixin, BaseEstimator):
    """Ordinal or target encoding of texts, by scikit-learn's encoders.

    TargetEncoder shrinks a category's mean towards the overall mean if it has few rows, and cross-fits the training
    rows, so that the target does not leak into the features.
    """

    def __init__(self, encodings: list[str], *, seed: int) -> None:
        self.encodings = encodings
        self.seed = seed

    def fit(self, texts: pd.DataFrame, target: Any) -> Codes:
        self._fitted(texts, target)
        return self

    def fit_transform(self, texts: pd.DataFrame, target: Any) -> NDArray[np.float64]:
        return self._fitted(texts, target)

    def transform(self, texts: pd.DataFrame) -> NDArray[np.float64]:
        pairs = zip(self.encoders_, texts.columns, strict=True)
        return np.hstack([encoder.transform(texts[[name]]) for encoder, name in pairs])

    def learned(self) -> list[Learned]:
        """The categories, codes and default of each text."""
        found: list[Learned] = []
        for encoder, encoding in zip(self.encoders_, self.encodings, strict=True):
            categories = [str(name) for name in encoder.categories_[0]]
            if encoding == TARGET:
                found.append((categories, np.asarray(encoder.encodings_[0]), float(encoder.target_mean_)))
            else:
                found.append((categories, np.arange(len(categories), dtype=np.float64), -1.0))
        return found

    def _fitted(self, texts: pd.DataFrame, target: Any) -> NDArray[np.float64]:
        self.encoders_ = [self._encoder(encoding, target) for encoding in self.encodings]
        pairs = zip(self.encoders_, texts.columns, strict=True)
        return np.hstack([encoder.fit_transform(texts[[name]], target) for encoder, name in pairs])

    def _encoder(self, encoding: str, target: Any) -> Any:
        if encoding == TARGET:
            kind = "binary" if np.issubdtype(np.asarray(target).dtype, np.integer) else "continuous"
            return TargetEncoder(target_type=kind, random_state=self.seed)
        return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, dtype=np.float64)
