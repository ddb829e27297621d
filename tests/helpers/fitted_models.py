"""Models that were fitted outside of sqlml, as people fit them, and the rows that they were fitted to."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifierCV
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, ExtraTreeRegressor

ROWS = 240
NUMBERS = ["age", "income"]


class Fitted(NamedTuple):
    """A fitted model and an example of its rows."""

    model: Any
    example: Any


@cache
def customers() -> pd.DataFrame:
    """Numbers, a text, a boolean and an integer; some ages and plans are missing."""
    random = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "age": random.normal(40.0, 10.0, ROWS),
            "income": random.lognormal(3.0, 1.0, ROWS),
            "plan": random.choice(["basic", "family", "pro"], ROWS).astype(object),
            "vip": random.random(ROWS) > 0.5,
            "visits": random.integers(0, 5, ROWS),
        }
    )
    frame.loc[::7, "age"] = np.nan
    frame.loc[::11, "plan"] = np.nan
    return frame


def frame(*columns: str, filled: bool = False) -> pd.DataFrame:
    found = customers()[list(columns)]
    return found.fillna({"age": 40.0, "plan": "none"}) if filled else found


@cache
def labels() -> Any:
    noise = np.random.default_rng(6).normal(0.0, 5.0, ROWS)
    return np.where(customers()["income"] + noise > 20.0, "yes", "no")


def classes() -> Any:
    return np.digitize(customers()["income"], [10.0, 30.0])


def amounts() -> Any:
    return np.log(customers()["income"]) + customers()["visits"]


def _columns(**options: Any) -> ColumnTransformer:
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
            ("texts", OneHotEncoder(handle_unknown="ignore", **options), ["plan"]),
        ]
    )


def _table(model: BaseEstimator, target: Any = None, *columns: str) -> Fitted:
    """A pipeline over the three columns of ColumnTransformer."""
    rows = frame(*NUMBERS, "plan")
    return Fitted(
        Pipeline([("columns", _columns()), ("model", model)]).fit(rows, labels() if target is None else target), rows
    )


def _numbers(*steps: BaseEstimator, target: Any = None, missing: bool = False) -> Fitted:
    """A pipeline over two numbers."""
    rows = frame(*NUMBERS, filled=not missing)
    model = steps[0] if len(steps) == 1 else make_pipeline(*steps)
    return Fitted(model.fit(rows, labels() if target is None else target), rows)


def _encoded(encoder: BaseEstimator, model: BaseEstimator | None = None, target: Any = None) -> Fitted:
    """A pipeline that encodes the text."""
    rows = frame(*NUMBERS, "plan")
    columns = make_column_transformer((encoder, ["plan"]), remainder=SimpleImputer())
    pipeline = Pipeline([("columns", columns), ("model", model or LogisticRegression(max_iter=1_000))])
    return Fitted(pipeline.fit(rows, labels() if target is None else target), rows)


def _categories(model: BaseEstimator, target: Any) -> Fitted:
    rows = frame(*NUMBERS, "plan").astype({"plan": "category"})
    return Fitted(model.fit(rows, target), rows)


def _titanic() -> Fitted:
    """Chooses columns by their types, fills both kinds, and drops one of two categories."""
    rows = frame("age", "income", "plan", "visits")
    columns = make_column_transformer(
        (
            make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
            make_column_selector(dtype_include="number"),
        ),
        (
            make_pipeline(
                SimpleImputer(strategy="most_frequent"), OneHotEncoder(drop="if_binary", handle_unknown="ignore")
            ),
            make_column_selector(dtype_include=object),
        ),
    )
    return Fitted(
        Pipeline([("columns", columns), ("model", LogisticRegression(max_iter=1_000))]).fit(rows, labels()), rows
    )


def _threshold(threshold: float, positive: str | None) -> Fitted:
    """A threshold around a whole pipeline."""
    inner = Pipeline([("columns", _columns()), ("model", LogisticRegression(max_iter=1_000))])
    model = FixedThresholdClassifier(inner, threshold=threshold, pos_label=positive, response_method="predict_proba")
    rows = frame(*NUMBERS, "plan")
    return Fitted(model.fit(rows, labels()), rows)


def _odd_names() -> Fitted:
    rows = frame(*NUMBERS, "plan", filled=True).rename(columns={"age": "age (years)", "income": "income, $"})
    columns = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["plan"]), remainder="passthrough")
    return Fitted(
        Pipeline([("columns", columns), ("model", LogisticRegression(max_iter=1_000))]).fit(rows, labels()), rows
    )


def _none_is_missing() -> Fitted:
    """Texts of Arrow and Spark, whose missing values are None: scikit-learn's imputer leaves them."""
    rows = frame(*NUMBERS, "plan").copy()
    rows["plan"] = rows["plan"].where(rows["plan"].notna(), None)
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), ["plan"]),
        remainder=SimpleImputer(),
    )
    return Fitted(
        Pipeline([("columns", columns), ("model", LogisticRegression(max_iter=1_000))]).fit(rows, labels()), rows
    )


def _without_names() -> Fitted:
    rows = frame(*NUMBERS, filled=True)
    return Fitted(RandomForestRegressor(5, random_state=0).fit(rows.to_numpy(), amounts()), rows)


def _of_types() -> Fitted:
    rows = frame("age", "vip", "visits", filled=True)
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["vip", "visits"]), remainder="passthrough"
    )
    model = Pipeline([("columns", columns), ("model", LogisticRegression(max_iter=1_000))])
    return Fitted(model.fit(rows, customers()["vip"].to_numpy()), rows)


def _lightgbm() -> Any:
    import lightgbm

    return lightgbm


def _xgboost() -> Any:
    import xgboost

    return xgboost


def _booster_of_lightgbm() -> Fitted:
    library, rows = _lightgbm(), frame(*NUMBERS)
    data = library.Dataset(rows, (labels() == "yes").astype(int))
    return Fitted(library.train({"objective": "binary", "verbose": -1}, data, 10), rows)


def _booster_of_xgboost() -> Fitted:
    library, rows = _xgboost(), frame(*NUMBERS)
    return Fitted(library.train({"base_score": 0.3}, library.DMatrix(rows, amounts()), 10), rows)


def _stopped_early() -> Fitted:
    rows, target = frame(*NUMBERS), amounts()
    model = _xgboost().XGBRegressor(n_estimators=100, early_stopping_rounds=3)
    return Fitted(model.fit(rows[:160], target[:160], eval_set=[(rows[160:], target[160:])], verbose=False), rows)


def _catboost(target: Any) -> Fitted:
    import catboost

    rows = frame(*NUMBERS)
    kind = catboost.CatBoostRegressor if target.dtype.kind == "f" else catboost.CatBoostClassifier
    return Fitted(kind(iterations=10, verbose=0, allow_writing_files=False).fit(rows, target), rows)


CASES: dict[str, Callable[[], Fitted]] = {
    # The usual pipeline with each kind of model.
    "logistic_regression": lambda: _table(LogisticRegression(max_iter=1_000)),
    "random_forest": lambda: _table(RandomForestClassifier(10, random_state=0)),
    "three_classes": lambda: _table(RandomForestClassifier(10, random_state=0), classes()),
    "histogram_boosting": lambda: _table(HistGradientBoostingRegressor(max_iter=5), amounts()),
    "margins": lambda: _table(LinearSVC()),
    "margins_of_kernels": lambda: _table(SVC()),
    "margins_of_three_classes": lambda: _table(RidgeClassifierCV(), classes()),
    "neighbors": lambda: _table(KNeighborsClassifier()),
    "one_tree": lambda: _table(ExtraTreeRegressor(random_state=0), amounts()),
    "stacking": lambda: _table(
        StackingClassifier([("f", RandomForestClassifier(5)), ("l", LogisticRegression(max_iter=1_000))])
    ),
    "hard_voting": lambda: _table(
        VotingClassifier(
            [
                ("t", DecisionTreeClassifier(max_depth=3)),
                ("l", LogisticRegression(max_iter=1_000)),
                ("r", RandomForestClassifier(5)),
            ]
        )
    ),
    "fixed_threshold": lambda: _threshold(0.3, None),
    "fixed_threshold_of_the_first_class": lambda: _threshold(0.8, "no"),
    "tuned_threshold": lambda: _table(TunedThresholdClassifierCV(RandomForestClassifier(5, random_state=0))),
    "self_training": lambda: _table(
        SelfTrainingClassifier(LogisticRegression(max_iter=1_000)), np.where(np.arange(ROWS) % 3, labels() == "yes", -1)
    ),
    "searched": lambda: _table(
        GridSearchCV(RandomForestRegressor(5, random_state=0), {"max_depth": [2, 3]}), amounts()
    ),
    "searched_at_random": lambda: _table(RandomizedSearchCV(LogisticRegression(), {"C": [1.0, 2.0]}, n_iter=2)),
    "target_of_logarithms": lambda: _table(
        TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1), customers()["income"]
    ),
    # Each transformer.
    "union": lambda: _numbers(
        FeatureUnion([("p", PCA(1)), ("s", StandardScaler())]), LogisticRegression(max_iter=1_000)
    ),
    "selected": lambda: _numbers(StandardScaler(), SelectKBest(k=1), LogisticRegression(max_iter=1_000)),
    "min_max": lambda: _numbers(MinMaxScaler(clip=True), LogisticRegression(max_iter=1_000)),
    "max_abs": lambda: _numbers(MaxAbsScaler(), LogisticRegression(max_iter=1_000)),
    "robust": lambda: _numbers(RobustScaler(), Ridge(), target=amounts()),
    "normalized": lambda: _numbers(Normalizer(), LogisticRegression(max_iter=1_000)),
    "powers": lambda: _numbers(PowerTransformer(), LogisticRegression(max_iter=1_000)),
    "powers_of_positive_numbers": lambda: _numbers(
        PowerTransformer("box-cox", standardize=False), LogisticRegression()
    ),
    "quantiles": lambda: _numbers(QuantileTransformer(n_quantiles=20), LogisticRegression(max_iter=1_000)),
    "bins": lambda: _numbers(KBinsDiscretizer(4), LogisticRegression(max_iter=1_000)),
    "numbers_of_bins": lambda: _numbers(KBinsDiscretizer(3, encode="ordinal"), Ridge(), target=amounts()),
    # The flag of a missing value has two values, and a single bin.
    "one_bin": lambda: _numbers(
        SimpleImputer(add_indicator=True), KBinsDiscretizer(3), LogisticRegression(max_iter=1_000), missing=True
    ),
    "products": lambda: _numbers(StandardScaler(), PolynomialFeatures(3), Ridge(), target=amounts()),
    "logarithms": lambda: _numbers(FunctionTransformer(np.log1p), Ridge(), target=amounts()),
    "flags": lambda: _numbers(SimpleImputer(add_indicator=True), Ridge(), target=amounts(), missing=True),
    "ordinal": lambda: _encoded(
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        HistGradientBoostingRegressor(max_iter=5),
        amounts(),
    ),
    "infrequent": lambda: _encoded(OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=80)),
    "one_dropped": lambda: _encoded(OneHotEncoder(drop="first")),
    "means_of_the_target": lambda: _encoded(TargetEncoder(), Ridge(), amounts()),
    "means_of_three_classes": lambda: _encoded(TargetEncoder(), LogisticRegression(), classes()),
    "titanic": _titanic,
    "odd_names": _odd_names,
    "none_is_missing": _none_is_missing,
    "without_names": _without_names,
    "booleans_and_integers": _of_types,
    # Other libraries.
    "lightgbm": lambda: _table(_lightgbm().LGBMClassifier(n_estimators=10, verbose=-1)),
    "lightgbm_categories": lambda: _categories(
        _lightgbm().LGBMRegressor(n_estimators=10, verbose=-1, min_data_per_group=2), amounts()
    ),
    "lightgbm_booster": _booster_of_lightgbm,
    "xgboost": lambda: _table(_xgboost().XGBClassifier(n_estimators=10), classes()),
    "xgboost_categories": lambda: _categories(
        _xgboost().XGBRegressor(n_estimators=10, enable_categorical=True), amounts()
    ),
    "xgboost_booster": _booster_of_xgboost,
    "xgboost_stopped_early": _stopped_early,
    "histogram_categories": lambda: _categories(HistGradientBoostingClassifier(max_iter=5), labels()),
    "catboost": lambda: _catboost(labels()),
    "catboost_regression": lambda: _catboost(np.asarray(amounts(), dtype=float)),
}
"""Models that are converted, by name."""
