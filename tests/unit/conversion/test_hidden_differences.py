"""Models that differ from their graph only where the example has no row: refused by name, or right. No JVM."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from helpers.fitted_models import amounts, customers, frame, labels
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

from sqlml.conversion import converted
from sqlml.conversion.routes import route_of
from sqlml.errors import SqlmlError
from sqlml.importing import requested
from sqlml.importing.request import Imported
from sqlml.scoring.scorer import Scorer

pytestmark = pytest.mark.usefixtures("without_sandbox")


def _converted(model: Any, rows: pd.DataFrame, **options: Any) -> Imported:
    route = route_of(model)
    assert route is not None
    return converted(model, route, requested(**options), example=rows, progress=lambda line: None)


def _refused(model: Any, rows: pd.DataFrame, **options: Any) -> SqlmlError:
    with pytest.raises(SqlmlError) as caught:
        _converted(model, rows, **options)
    return caught.value


def _boosters() -> dict[str, Any]:
    import lightgbm
    import xgboost

    return {
        "lightgbm": lightgbm.LGBMRegressor(n_estimators=5, verbose=-1, min_data_per_group=2),
        "xgboost": xgboost.XGBRegressor(n_estimators=5, enable_categorical=True),
        "histograms": HistGradientBoostingRegressor(max_iter=5, categorical_features="from_dtype"),
    }


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "histograms"])
def test_an_example_with_fewer_categories_than_the_model(name: str) -> None:
    rows = frame("age", "income", "plan", filled=True).astype({"plan": "category"})
    model = _boosters()[name].fit(rows, amounts())
    part = rows[rows["plan"] != "pro"]
    assert _converted(model, part, target="y").fidelity.max_abs_diff < 1e-6
    found = _refused(model, part.assign(plan=part["plan"].cat.remove_unused_categories()), target="y")
    assert found.condition == "SQLML_MODEL_REFUSED"
    assert (
        "was fitted to the categories basic, family, none, pro, and the example has basic, family, none"
        in found.message
    )


def test_xgboost_with_a_number_for_a_missing_value() -> None:
    import xgboost

    rows = frame("age", "income", filled=True)
    model = xgboost.XGBRegressor(n_estimators=3, missing=-999.0).fit(rows, amounts())
    assert "takes -999.0 for a missing value" in _refused(model, rows, target="y").message


@pytest.mark.parametrize("booster", ["gblinear", "dart"])
def test_xgboost_without_plain_trees(booster: str) -> None:
    import xgboost

    rows = frame("age", "income", filled=True)
    model = xgboost.XGBRegressor(n_estimators=3, booster=booster).fit(rows, amounts())
    assert f"has the booster {booster}, and only trees" in _refused(model, rows, target="y").message


def test_a_threshold_of_the_decision_function_is_never_ignored() -> None:
    """skl2onnx alone converts the model with a threshold of 0.5, and these rows lie far from both."""
    rows = frame("age", "income", filled=True)
    model = TunedThresholdClassifierCV(
        LogisticRegression(max_iter=1_000), scoring="accuracy", response_method="decision_function"
    )
    model.fit(rows, labels())
    far = rows[np.abs(model.estimator_.decision_function(rows)) > 2.0]
    found = _refused(model, far, target="y")
    assert found.condition == "SQLML_MODEL_REFUSED" and "compares a decision function" in found.message


def test_a_threshold_around_a_frozen_model() -> None:
    rows = frame("age", "income", filled=True)
    inner = FrozenEstimator(LogisticRegression(max_iter=1_000).fit(rows, labels()))
    model = FixedThresholdClassifier(inner, threshold=0.3, response_method="predict_proba").fit(rows, labels())
    assert _converted(model, rows, target="y").fidelity.max_abs_diff < 1e-12


@pytest.mark.parametrize("loaded", [False, True], ids=["its booster", "read from its file"])
def test_xgboost_that_stopped_early(loaded: bool, tmp_path: Any) -> None:
    """A Booster predicts by all trees, and an XGBRegressor by those up to the best iteration."""
    import xgboost

    rows, target = customers()[["age", "income"]], amounts()
    model = xgboost.XGBRegressor(n_estimators=60, early_stopping_rounds=3)
    model.fit(rows[:160], target[:160], eval_set=[(rows[160:], target[160:])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    expected = model.predict(rows)
    brought: Any = model.get_booster()
    if loaded:
        model.save_model(tmp_path / "model.json")
        brought = xgboost.XGBRegressor()
        brought.load_model(tmp_path / "model.json")
    else:
        expected = brought.predict(xgboost.DMatrix(rows))
    found = _converted(brought, rows, target="y")
    columns = pa.Table.from_pandas(rows, preserve_index=False).columns
    assert np.allclose(Scorer(found.onnx, found.signature).label(columns), expected, atol=1e-6)


def test_lightgbm_by_an_alias_and_by_a_function() -> None:
    import lightgbm

    rows = frame("age", "income", filled=True)
    target = np.digitize(rows["income"], [10.0, 30.0])
    options = {"num_class": 3, "verbose": -1}
    softmax = lightgbm.train({"objective": "softmax", **options}, lightgbm.Dataset(rows, target), 5)
    assert _converted(softmax, rows, target="y").signature.labels == (0, 1, 2)
    several = lightgbm.train({"objective": "ova", **options}, lightgbm.Dataset(rows, target), 5)
    assert "has the objective multiclassova" in _refused(several, rows, target="y").message
    own = lightgbm.train(
        {"objective": lambda found, data: (found - data.get_label(), np.ones(len(found))), "verbose": -1},
        lightgbm.Dataset(rows, amounts()),
        5,
    )
    assert "has an objective of its own" in _refused(own, rows, target="y").message


def test_a_clustering_has_no_labels() -> None:
    rows = frame("age", "income", filled=True)
    found = _refused(KMeans(2, random_state=0).fit(rows), rows, labels=["low", "high"])
    assert found.condition == "SQLML_OPTION_INVALID"
    assert "A model for clustering has neither a target nor labels" in found.message


def test_the_library_of_a_booster_is_its_own() -> None:
    rows = frame("age", "income", filled=True)
    for name in ("lightgbm", "xgboost"):
        found = _converted(_boosters()[name].fit(rows, amounts()), rows, target="y")
        assert found.library.lower().startswith(f"{name} ")
