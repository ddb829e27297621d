"""Clusterings and detectors of anomalies that were fitted outside: the graph's label is the model's. No JVM."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from helpers.fitted_models import NUMBERS, frame
from sklearn.cluster import AffinityPropagation, Birch, BisectingKMeans, KMeans, MeanShift, MiniBatchKMeans
from sklearn.compose import make_column_transformer
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import SGDOneClassSVM
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import OneClassSVM

from sqlml.conversion import converted
from sqlml.conversion.routes import route_of
from sqlml.errors import SqlmlError
from sqlml.importing import requested
from sqlml.importing.request import Imported

pytestmark = pytest.mark.usefixtures("without_sandbox")

_CLUSTERINGS = (
    AffinityPropagation(damping=0.9, random_state=0),
    BayesianGaussianMixture(n_components=3, random_state=0),
    Birch(n_clusters=3),
    BisectingKMeans(3, random_state=0),
    GaussianMixture(3, random_state=0),
    KMeans(3, random_state=0),
    MeanShift(bandwidth=1.0),
    MiniBatchKMeans(3, random_state=0),
)
_DETECTORS = (
    EllipticEnvelope(random_state=0),
    IsolationForest(n_estimators=20, random_state=0),
    LocalOutlierFactor(novelty=True),
    OneClassSVM(),
    SGDOneClassSVM(random_state=0),
)


def _converted(model: Any, *, texts: bool) -> Imported:
    """Behind a scaler; with a text and missing values if `texts`."""
    rows = frame(*NUMBERS, "plan") if texts else frame(*NUMBERS, filled=True)
    before = StandardScaler()
    if texts:
        encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        before = make_column_transformer(
            (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS), (encoder, ["plan"])
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = make_pipeline(before, model).fit(rows)
    route = route_of(pipeline)
    assert route is not None
    return converted(pipeline, route, requested(), example=rows, progress=lambda line: None)


@pytest.mark.parametrize("texts", [False, True], ids=["scaled", "columns"])
@pytest.mark.parametrize("model", [*_CLUSTERINGS, *_DETECTORS], ids=lambda model: type(model).__name__)
def test_the_label_is_that_of_the_model(model: Any, texts: bool) -> None:
    found = _converted(model, texts=texts)
    assert found.library.endswith("and sqlml, float64")
    assert found.fidelity.rows > 200 and found.fidelity.label_mismatches == 0
    assert found.signature.target is None
    if model in _DETECTORS:
        assert (found.signature.task, found.signature.target_type) == ("anomaly_detection", "boolean")
        assert found.signature.labels == (False, True)
    else:
        assert (found.signature.task, found.signature.target_type) == ("clustering", "int")
        assert found.signature.labels == tuple(range(len(found.signature.labels)))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (KMeans(1), "The KMeans has found one cluster"),
        (LocalOutlierFactor(), "Pipeline has no predict"),
    ],
    ids=["one cluster", "without predict"],
)
def test_what_is_refused(model: Any, message: str) -> None:
    with pytest.raises(SqlmlError, match=f"SQLML_MODEL_REFUSED.*{message}"):
        _converted(model, texts=False)
