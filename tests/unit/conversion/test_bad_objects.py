"""Objects that cannot be registered, and what their users read. No JVM."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers import fitted_models
from helpers.fitted_models import frame, labels
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sqlml.conversion import converted
from sqlml.conversion.routes import route_of
from sqlml.errors import SqlmlError
from sqlml.importing import requested

_NUMBERS = ["age", "income"]


class _Doubled(TransformerMixin, BaseEstimator):
    def fit(self, x: Any, y: Any = None) -> _Doubled:
        self.n_features_in_ = 2
        return self

    def transform(self, x: Any) -> Any:
        return np.asarray(x) * 2.0


class _Random(ClassifierMixin, BaseEstimator):
    def fit(self, x: Any, y: Any) -> _Random:
        self.classes_, self.n_features_in_ = np.unique(y), 2
        return self

    def predict(self, x: Any) -> Any:
        return np.random.default_rng().choice(self.classes_, len(x))


def _rows() -> pd.DataFrame:
    return frame(*_NUMBERS, filled=True)


def _forest() -> Any:
    return RandomForestRegressor(3).fit(_rows(), fitted_models.amounts())


def _two_labels() -> Any:
    return RandomForestClassifier(3).fit(_rows(), np.stack([labels(), labels()], axis=1))


def _two_numbers() -> Any:
    return RandomForestRegressor(3).fit(_rows(), np.stack([fitted_models.amounts()] * 2, axis=1))


def _of_dates() -> Any:
    return RandomForestRegressor(3).fit(_rows().assign(day=0.0), fitted_models.amounts())


def _chooses_no_column() -> Any:
    columns = ColumnTransformer([("texts", "passthrough", ["plan"])])
    return make_pipeline(columns, LogisticRegression())


_BAD: dict[str, tuple[Any, Any, str]] = {
    "no_example": (_forest, lambda: None, "SQLML_OPTION_INVALID.*needs rows.*Give example="),
    "empty_example": (_forest, lambda: _rows()[:0], "SQLML_TOO_FEW_ROWS.*The example has no rows"),
    "column_missing": (
        _forest,
        lambda: _rows().rename(columns={"income": "incomes"}),
        "SQLML_COLUMN_NOT_FOUND.*no column income, which is a feature of the model. Did you mean incomes",
    ),
    "column_of_texts": (
        _forest,
        lambda: _rows().assign(age="forty"),
        "SQLML_MODEL_REFUSED.*RandomForestRegressor predicts none of the example's rows: ValueError",
    ),
    "column_of_dates": (
        _of_dates,
        lambda: _rows().assign(day=pd.Timestamp("2026-01-01")),
        "SQLML_FEATURE_UNUSABLE.*feature day is TIMESTAMP",
    ),
    "number_of_columns": (
        lambda: RandomForestRegressor(3).fit(_rows().to_numpy(), fitted_models.amounts()),
        lambda: frame(*_NUMBERS, "visits", filled=True),
        "SQLML_BINDING_MISMATCH.*2 features without names, and the example has 3 columns",
    ),
    "unfitted": (RandomForestRegressor, _rows, "SQLML_MODEL_REFUSED.*is not fitted"),
    "unfitted_pipeline": (
        _chooses_no_column,
        lambda: frame("plan"),
        "SQLML_MODEL_REFUSED.*This Pipeline is not fitted",
    ),
    "a_transformer": (
        lambda: StandardScaler().fit(_rows()),
        _rows,
        "SQLML_MODEL_REFUSED.*StandardScaler has no predict",
    ),
    "a_lambda": (
        lambda: make_pipeline(FunctionTransformer(lambda x: x * 2), Ridge()).fit(_rows(), fitted_models.amounts()),
        _rows,
        "SQLML_MODEL_REFUSED.*FunctionTransformer calls <lambda>, and only these functions have operators: numpy.abs",
    ),
    "a_class_of_the_user": (
        lambda: make_pipeline(_Doubled(), Ridge()).fit(_rows(), fitted_models.amounts()),
        _rows,
        "SQLML_MODEL_REFUSED.*there is no converter for .*_Doubled",
    ),
    "random": (
        lambda: _Random().fit(_rows(), labels()),
        _rows,
        "SQLML_MODEL_REFUSED.*_Random predicts the same rows differently each time",
    ),
    "two_labels": (_two_labels, _rows, "SQLML_MODEL_REFUSED.*predicts several labels per row"),
    "two_numbers": (_two_numbers, _rows, "SQLML_TARGET_INVALID.*predicts 2 numbers per row.*with 2 names"),
}


@pytest.mark.parametrize("name", _BAD)
def test_the_error_names_the_reason_and_the_way_out(name: str) -> None:
    make, example, expected = _BAD[name]
    model = make()
    route = route_of(model) or route_of(StandardScaler())
    assert route is not None
    with pytest.raises(SqlmlError, match=f"(?s){expected}"):
        converted(model, route, requested(target="y"), example=example(), progress=lambda line: None)


def test_an_example_may_have_more_columns_than_the_model() -> None:
    route = route_of(_forest())
    assert route is not None
    found = converted(
        _forest(), route, requested(target="y"), example=fitted_models.customers(), progress=lambda line: None
    )
    assert found.signature.names == ("age", "income")
