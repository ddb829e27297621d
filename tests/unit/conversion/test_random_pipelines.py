"""Pipelines at random: each is converted and predicts what it does on rows that the comparison has not seen, or it is
refused with a reason. No JVM."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from helpers import fitted_models
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
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
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sqlml.conversion import converted
from sqlml.conversion.routes import route_of
from sqlml.errors import SqlmlError
from sqlml.importing import requested
from sqlml.scoring.scorer import Scorer

pytestmark = pytest.mark.usefixtures("without_sandbox")

_FEW = 12
# Minutes of the nightly run, and its first seed: SQLML_RANDOM_PIPELINES="30 5".
_ENVIRONMENT = "SQLML_RANDOM_PIPELINES"

_FILLED: list[Callable[[], Any]] = [
    lambda: SimpleImputer(),
    lambda: SimpleImputer(strategy="median", add_indicator=True),
    lambda: SimpleImputer(strategy="constant", fill_value=-1.0),
]
_SCALED: list[Callable[[], Any]] = [
    StandardScaler,
    lambda: MinMaxScaler(clip=True),
    MaxAbsScaler,
    RobustScaler,
    Normalizer,
    PowerTransformer,
    lambda: KBinsDiscretizer(3, encode="onehot-dense"),
    lambda: PolynomialFeatures(2, include_bias=False),
    lambda: PCA(2),
    lambda: FunctionTransformer(np.square),
]
_ENCODED: list[Callable[[], Any]] = [
    lambda: OneHotEncoder(handle_unknown="ignore"),
    lambda: OneHotEncoder(drop="first", handle_unknown="ignore"),
    lambda: OneHotEncoder(min_frequency=70, handle_unknown="infrequent_if_exist"),
    lambda: OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
    lambda: TargetEncoder(random_state=0),
    lambda: make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
]
_MODELS: list[Callable[[], Any]] = [
    lambda: LogisticRegression(max_iter=2_000),
    lambda: RandomForestClassifier(8, random_state=0),
    lambda: ExtraTreesClassifier(8, random_state=0),
    lambda: GradientBoostingClassifier(n_estimators=8, random_state=0),
    lambda: HistGradientBoostingClassifier(max_iter=8),
    lambda: DecisionTreeClassifier(max_depth=5, random_state=0),
    lambda: RidgeClassifier(),
    lambda: SGDClassifier(loss="log_loss", random_state=0),
    lambda: GaussianNB(),
    lambda: MLPClassifier((6,), max_iter=300, random_state=0),
    lambda: SVC(),
]


def _pipeline(random: np.random.Generator) -> Pipeline:
    def one(of: Sequence[Callable[[], Any]]) -> Any:
        return of[int(random.integers(len(of)))]()

    numbers = [one(_FILLED), *(one(_SCALED) for _ in range(int(random.integers(0, 3))))]
    columns = make_column_transformer(
        (make_pipeline(*numbers), ["age", "income"]),
        (one(_ENCODED), ["plan"]),
        remainder="passthrough" if random.random() < 0.5 else "drop",
    )
    between = [StandardScaler(with_mean=False)] if random.random() < 0.3 else []
    return make_pipeline(columns, *between, one(_MODELS))


def _rows(random: np.random.Generator, count: int) -> pd.DataFrame:
    """Rows as those of `customers`, with other values, missing and unseen ones."""
    found = pd.DataFrame(
        {
            "age": random.normal(40.0, 20.0, count),
            "income": random.lognormal(3.0, 2.0, count),
            "plan": random.choice(np.array(["basic", "family", "pro", "other"], dtype=object), count),
            "visits": random.integers(0, 9, count),
        }
    )
    found.loc[random.random(count) < 0.2, "age"] = np.nan
    found.loc[random.random(count) < 0.2, "plan"] = np.nan
    return found


def _check(seed: int) -> bool:
    """Whether the pipeline of a seed was converted."""
    random = np.random.default_rng(seed)
    known = fitted_models.customers()[["age", "income", "plan", "visits"]]
    pipeline = _pipeline(random)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline.fit(known, fitted_models.classes() if random.random() < 0.3 else fitted_models.labels())
        route = route_of(pipeline)
        assert route is not None
        try:
            found = converted(pipeline, route, requested(target="y"), example=known, progress=lambda line: None)
        except SqlmlError as error:
            assert error.condition in ("SQLML_FIDELITY", "SQLML_MODEL_REFUSED"), error
            return False
        fresh = _rows(random, 300)
        try:
            expected = pipeline.predict(fresh)
        except ValueError:
            return True  # one of the values makes this pipeline fail, which the comparison has seen too
    table = pa.Table.from_pandas(fresh, preserve_index=False)
    required = [one.name for one in found.signature.features if one.required]
    present = fresh[required].notna().all(axis=1).to_numpy() if required else np.full(len(fresh), True)
    labels = Scorer(found.onnx, found.signature).label([table.column(one) for one in found.signature.names]).to_pylist()
    same = [str(label) == str(wanted) for label, wanted in zip(labels, expected, strict=True)]
    # A label of two scores that are equal to the last bits may be either.
    assert np.mean(np.array(same)[present]) > 0.995, f"seed {seed}: {pipeline}"
    assert [label is None for label in labels] == (~present).tolist()
    return True


def test_some_pipelines() -> None:
    assert sum(_check(seed) for seed in range(_FEW)) >= _FEW - 2


@pytest.mark.nightly
def test_pipelines_for_a_while() -> None:
    minutes, first = (int(word) for word in os.environ.get(_ENVIRONMENT, "10 1000").split())
    end, seed, kept = time.monotonic() + 60.0 * minutes, first, 0
    while time.monotonic() < end:
        kept += _check(seed)
        seed += 1
    print(f"{kept} of {seed - first} pipelines from seed {first} were converted")
    assert kept > 0.9 * (seed - first)
