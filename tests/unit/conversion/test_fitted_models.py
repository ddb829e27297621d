"""Fitted models of other libraries as ONNX: what the graph predicts is what the model does. No JVM."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from helpers import fitted_models
from helpers.fitted_models import CASES, Fitted, frame, labels
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sqlml.conversion import boosters, converted, pipelines, predictions
from sqlml.conversion.routes import ROUTES, route_of
from sqlml.errors import SqlmlError
from sqlml.export.sklearn.blocks import joined
from sqlml.export.sklearn.transformers import TRANSFORMERS
from sqlml.importing import requested
from sqlml.importing.request import Imported
from sqlml.scoring.scorer import Scorer

# The one converter that computes in float32.
_SINGLE = ("catboost", "catboost_regression")


def _converted(fitted: Fitted, **options: Any) -> Imported:
    route = route_of(fitted.model)
    assert route is not None
    request = requested(**{"target": "y", **options})
    return converted(fitted.model, route, request, example=fitted.example, progress=lambda line: None)


@pytest.mark.usefixtures("without_sandbox")
@pytest.mark.parametrize("name", CASES)
def test_the_graph_predicts_what_the_model_does(name: str) -> None:
    fitted = CASES[name]()
    found = _converted(fitted)
    assert found.fidelity.rows > fitted_models.ROWS  # and edge cases
    assert found.fidelity.max_abs_diff < (1e-5 if name in _SINGLE else 1e-9)
    assert found.library.endswith("float32" if name in _SINGLE else "and sqlml, float64")
    # Once more by hand, on the example's own rows.
    model = boosters.as_estimator(fitted.model)
    answers = predictions.answers_of(model)
    rows = fitted.example if name != "without_names" else fitted.example.to_numpy()
    if hasattr(model, "feature_names_in_"):
        rows = fitted.example[list(model.feature_names_in_)]
    expected = predictions.predicted(model, answers, rows)
    columns = pa.Table.from_pandas(fitted.example, preserve_index=False)
    raw = Scorer(found.onnx, found.signature).raw([columns.column(one) for one in found.signature.names])
    if answers.labels:
        # A boolean is 0 or 1 in the graph.
        given = expected[0].astype(int) if expected[0].dtype == bool else expected[0]
        assert (np.asarray(raw["label"]).astype(str) == given.astype(str)).all()
        if len(expected) > 1:
            scores = raw["probabilities" if found.signature.probabilities else "scores"]
            assert np.allclose(scores, expected[1], rtol=0.0, atol=1e-5 if name in _SINGLE else 1e-9)
    else:
        assert np.allclose(raw["prediction"], expected[0], rtol=1e-5 if name in _SINGLE else 1e-9)


@pytest.mark.usefixtures("without_sandbox")
def test_features_that_may_be_missing_are_those_that_the_model_takes() -> None:
    pipeline = _converted(CASES["titanic"]())
    assert [feature.required for feature in pipeline.signature.features] == [False, False, False, False]
    rows = frame("age", "income", filled=True)
    plain = _converted(Fitted(LogisticRegression().fit(rows, labels()), rows))
    assert [feature.required for feature in plain.signature.features] == [True, True]


@pytest.mark.usefixtures("without_sandbox")
def test_several_numbers_are_a_struct() -> None:
    from sklearn.ensemble import RandomForestRegressor

    rows = frame("age", "income", filled=True)
    target = np.stack([fitted_models.amounts(), -fitted_models.amounts()], axis=1)
    fitted = Fitted(RandomForestRegressor(5, random_state=0).fit(rows, target), rows)
    found = _converted(fitted, target=["up", "down"])
    assert found.signature.outputs == ("up", "down")
    # skl2onnx writes trees of several outputs, but not where their missing values go.
    assert [feature.required for feature in found.signature.features] == [True, True]
    assert found.library.endswith("NULL for a row with a missing value")


@pytest.mark.usefixtures("without_sandbox")
@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow", "dictionary"])
def test_every_kind_of_frame_is_an_example(kind: str) -> None:
    import polars

    rows = frame("age", "income", filled=True)
    model = LogisticRegression().fit(rows, labels())
    table = pa.Table.from_pandas(rows, preserve_index=False)
    examples = {
        "pandas": rows,
        "polars": polars.from_arrow(table),
        "arrow": table,
        "dictionary": {name: rows[name].to_list() for name in rows},
    }
    assert _converted(Fitted(model, examples[kind])).signature.names == ("age", "income")


@pytest.mark.usefixtures("without_sandbox")
def test_a_refusal_names_the_step_where_graph_and_model_part(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = frame("age", "income", filled=True)
    pipeline = make_pipeline(StandardScaler(), MinMaxScaler(), PCA(1), LogisticRegression()).fit(rows, labels())
    monkeypatch.setitem(TRANSFORMERS, "MinMaxScaler", lambda graph, blocks, model: joined(graph, blocks))
    monkeypatch.setattr(pipelines, "ATTEMPTS", pipelines.ATTEMPTS[:1])
    with pytest.raises(SqlmlError, match=r"SQLML_FIDELITY.*They part at the step minmaxscaler \(MinMaxScaler\)\."):
        _converted(Fitted(pipeline, rows))


def test_a_model_that_crashes_the_sandbox_is_not_this_process() -> None:
    """Without the shortcut of the other tests: in the sandbox."""
    found = _converted(CASES["logistic_regression"]())
    assert found.signature.labels == ("no", "yes")


def test_every_route_has_a_converter_and_an_extra() -> None:
    from helpers.folders import ROOT

    extras = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for route in ROUTES:
        assert route.attempts()
        assert f"\n{route.extra} = [" in extras
    assert route_of(pd.DataFrame()) is None
