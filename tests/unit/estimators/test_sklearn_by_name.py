"""Every estimator of scikit-learn by its own name: a row of ESTIMATORS, or a reason why there is none."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import fidelity_page
from helpers.every_estimator import job_of, mixed_table, targets_of
from helpers.folders import ROOT
from helpers.sklearn_fits import FEATURES
from helpers.sklearn_fits import fit as hostile_fit
from helpers.sklearn_names import listed, written

from sqlml.errors import SqlmlError
from sqlml.estimators import ANOMALY_DETECTION, CLASSIFICATION, CLUSTERING, REGRESSION, Estimator, resolve
from sqlml.estimators.sklearn import training as engine
from sqlml.estimators.sklearn.by_name import BY_NAME
from sqlml.estimators.sklearn.named_estimators import NAMED_ESTIMATORS
from sqlml.estimators.sklearn.refused import REFUSED
from sqlml.jobs.job import Fitted, Job
from sqlml.signature import Feature, Signature

_TABLE = ROOT / "sqlml" / "estimators" / "sklearn" / "by_name.py"
_PAIRS = [(row, task) for row in NAMED_ESTIMATORS for task in row.classes]


def test_the_table_is_what_scikit_learn_lists(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        _TABLE.write_text(written(listed()), encoding="utf-8")
    assert _TABLE.read_text(encoding="utf-8") == written(listed())


@pytest.mark.parametrize("name", BY_NAME)
def test_a_name_has_a_row_or_a_reason(name: str) -> None:
    task, path = BY_NAME[name]
    if name not in REFUSED:
        # Some classes have a subclass of ours, which breaks ties as the graph does.
        row = resolve(f"sklearn.{name}", task, "mllib")
        assert row.class_name(task) == path.rpartition(".")[2]
        assert row.engine == "sklearn"
        return
    with pytest.raises(SqlmlError) as found:
        resolve(f"sklearn.{name}", task, "sklearn")
    assert found.value.condition == "SQLML_ESTIMATOR_NOT_FOUND"
    assert f"scikit-learn's {path.rpartition('.')[2]} {REFUSED[name]}." in found.value.message
    assert found.value.hint.lower().startswith(f"for {task.replace('_', ' ')}: ")


def test_the_manual_says_what_each_name_means(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        fidelity_page.write(fidelity_page.lines())
    assert fidelity_page.text() == fidelity_page.page(fidelity_page.lines())


def test_reasons_are_sorted_and_of_names_that_exist() -> None:
    assert list(REFUSED) == sorted(REFUSED)
    assert set(REFUSED) <= set(BY_NAME)


@pytest.mark.parametrize("name", ["dbscan", "DBSCAN", "sklearn.DBSCAN", "sklearn.dbscan"])
def test_a_reason_is_found_however_the_name_is_written(name: str) -> None:
    with pytest.raises(SqlmlError, match="scikit-learn's DBSCAN has no predict"):
        resolve(name, CLUSTERING, "sklearn")


def test_another_library_has_no_reason_of_scikit_learns() -> None:
    with pytest.raises(SqlmlError) as found:
        resolve("mllib.dbscan", CLUSTERING, "sklearn")
    assert "scikit-learn" not in found.value.message


def test_a_class_of_another_task_is_refused() -> None:
    with pytest.raises(SqlmlError, match="supports only regression"):
        resolve("sklearn.passive_aggressive_regressor", CLASSIFICATION, "sklearn")


@pytest.mark.parametrize(("row", "task"), [pytest.param(*pair, id=f"{pair[0].name}-{pair[1]}") for pair in _PAIRS])
def test_the_graph_predicts_what_scikit_learn_does(row: Estimator, task: str) -> None:
    for target in targets_of(row, task):
        fitted = engine.fit(job_of(row, task, target), mixed_table(), lambda line: None)
        assert fitted.fidelity.rows > 80
        # One-hot columns make a covariance singular, whose inverse is large where it is not cut off.
        assert fitted.fidelity.max_abs_diff <= (1e-6 if row.name == "sklearn.elliptic_envelope" else 1e-9)
        by_skl2onnx = row.name == "sklearn.calibrated_classifier_cv"
        assert ("converted by skl2onnx" in fitted.library and "float64" in fitted.library) == by_skl2onnx


@pytest.mark.parametrize(
    ("name", "task", "params"),
    [
        ("bayesian_gaussian_mixture", CLUSTERING, {"covariance_type": "tied", "n_components": 3}),
        ("bayesian_gaussian_mixture", CLUSTERING, {"covariance_type": "diag", "n_components": 3}),
        ("bayesian_gaussian_mixture", CLUSTERING, {"covariance_type": "spherical", "n_components": 3}),
        (
            "bayesian_gaussian_mixture",
            CLUSTERING,
            {"n_components": 2, "weight_concentration_prior_type": "dirichlet_distribution"},
        ),
        ("birch", CLUSTERING, {"n_clusters": None, "threshold": 3.0}),
        ("birch", CLUSTERING, {"n_clusters": 5, "threshold": 1.0}),
        ("bisecting_k_means", CLUSTERING, {"bisecting_strategy": "largest_cluster", "n_clusters": 5}),
        ("bisecting_k_means", CLUSTERING, {"n_clusters": 1}),
        ("calibrated_classifier_cv", CLASSIFICATION, {"cv": 3, "ensemble": False}),
        ("dummy", CLASSIFICATION, {"strategy": "most_frequent"}),
        ("dummy", REGRESSION, {"strategy": "median"}),
        ("dummy", REGRESSION, {"quantile": 0.25, "strategy": "quantile"}),
        ("dummy", REGRESSION, {"constant": 5, "strategy": "constant"}),
        ("mean_shift", CLUSTERING, {"bandwidth": 2.5, "cluster_all": True}),
        ("passive_aggressive", CLASSIFICATION, {"average": True, "loss": "squared_hinge"}),
        ("passive_aggressive", REGRESSION, {"C": 0.1, "loss": "squared_epsilon_insensitive"}),
        ("pls_canonical", REGRESSION, {"algorithm": "svd"}),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else value,
)
def test_hyperparameters_that_change_the_graph(name: str, task: str, params: dict[str, Any]) -> None:
    for target in targets_of(resolve(f"sklearn.{name}", task, ""), task):
        fitted = _fit(name, task, params, target)
        assert fitted.fidelity.max_abs_diff <= 1e-9
        assert {key: fitted.params[key] for key in params} == params


@pytest.mark.parametrize("params", [{}, {"assume_centered": True, "contamination": 0.3}])
def test_an_envelope_of_numbers(params: dict[str, Any]) -> None:
    signature = Signature(ANOMALY_DETECTION, (Feature("z", "float"), Feature("n", "int")), None, "boolean")
    job = Job("sklearn.elliptic_envelope", signature, params, seed=42, test_fraction=0.0, tolerance=1e-9)
    fitted = engine.fit(job, mixed_table(), lambda line: None)
    assert fitted.metrics["anomalies"] == pytest.approx(params.get("contamination", 0.1), abs=0.02)


@pytest.mark.parametrize(
    ("name", "task", "params", "message"),
    [
        ("birch", CLUSTERING, {"threshold": -1}, r"'threshold' parameter of Birch must be a float .* Got -1 instead"),
        ("calibrated_classifier_cv", CLASSIFICATION, {"method": "isotonic"}, "nearest learned point"),
        ("calibrated_classifier_cv", CLASSIFICATION, {"method": "temperature"}, "skl2onnx has no converter"),
        ("calibrated_classifier_cv", CLASSIFICATION, {"cv": 100}, "cross-validates its probabilities in 100 folds"),
        ("dummy", CLASSIFICATION, {"strategy": "uniform"}, "predicts at random"),
        ("dummy", REGRESSION, {"strategy": "prior"}, "must be a str among"),
        ("elliptic_envelope", ANOMALY_DETECTION, {"contamination": 0.9}, r"in the range \(0.0, 0.5\]. Got 0.9"),
        ("pls_canonical", REGRESSION, {"n_components": 2}, "n_components"),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else value[:30],
)
def test_hyperparameters_that_are_refused(name: str, task: str, params: dict[str, Any], message: str) -> None:
    target = targets_of(resolve(f"sklearn.{name}", task, ""), task)[0]
    with pytest.raises(SqlmlError, match=message) as found:
        _fit(name, task, params, target)
    assert found.value.condition in ("SQLML_OPTION_INVALID", "SQLML_TOO_FEW_ROWS")


def test_a_covariance_that_is_nearly_singular_is_refused() -> None:
    """Its inverse, and so scikit-learn's own distance, is rounding. The gate notices."""
    features = tuple(Feature(*pair) for pair in FEATURES.items())
    signature = Signature(ANOMALY_DETECTION, features, None, "boolean")
    with pytest.raises(SqlmlError, match=r"the score of False is .* by ONNX and .* by the library") as found:
        hostile_fit("sklearn.elliptic_envelope", signature, test_fraction=0.0)
    assert found.value.condition == "SQLML_FIDELITY"


def test_affinities_that_do_not_converge_are_an_error() -> None:
    with pytest.raises(SqlmlError, match="AffinityPropagation found no cluster"):
        _fit("affinity_propagation", CLUSTERING, {"max_iter": 1}, None)


def _fit(name: str, task: str, params: dict[str, Any], target: str | None) -> Fitted:
    usual = job_of(resolve(f"sklearn.{name}", task, ""), task, target)
    job = Job(usual.estimator, usual.signature, params, seed=42, test_fraction=usual.test_fraction, tolerance=1e-6)
    return engine.fit(job, mixed_table(), lambda line: None)
