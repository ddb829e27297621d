"""scikit-learn: which rows and targets can be learned, and which hyperparameters there are."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from helpers.sklearn_fits import SUPERVISED as _SUPERVISED
from helpers.sklearn_fits import fit as _fit
from helpers.sklearn_fits import hostile_table as _table
from helpers.sklearn_fits import plain_signature as _plain
from helpers.sklearn_fits import signature_of as _signature

from sqlml.errors import SqlmlError
from sqlml.scoring.scorer import Scorer
from sqlml.signature import Feature, Signature


def test_the_order_of_the_rows_makes_no_difference() -> None:
    for target in ("two", "amount"):
        backwards = _table().take(pa.array(range(_table().num_rows - 1, -1, -1)))
        forwards = _fit("sklearn.random_forest", _signature(target))
        assert _fit("sklearn.random_forest", _signature(target), backwards).onnx == forwards.onnx
        assert _fit("sklearn.random_forest", _signature(target), seed=43).onnx != forwards.onnx


@pytest.mark.parametrize(
    ("target_type", "values", "labels"),
    [
        ("tinyint", pa.array([1, -1] * 10, pa.int8()), (-1, 1)),
        ("bigint", pa.array([2**60, 2**60 + 1] * 10), (2**60, 2**60 + 1)),
        ("boolean", pa.array([True, False] * 10), (False, True)),
        ("double", pa.array([0.5, -0.0, 0.0, math.nan] * 5), (0.0, 0.5)),
        ("float", pa.array([0.1, 0.2] * 10, pa.float32()), (float(np.float32(0.1)), float(np.float32(0.2)))),
        ("decimal(5,2)", pa.array([decimal.Decimal("1.50"), decimal.Decimal("0.00")] * 10), ("0.00", "1.50")),
        ("date", pa.array([dt.date(2024, 2, 29), dt.date(1969, 1, 1)] * 10), ("1969-01-01", "2024-02-29")),
        (
            "timestamp",
            pa.array([dt.datetime(2024, 1, 1, 12), dt.datetime(2025, 1, 1)] * 10, pa.timestamp("us", "Asia/Tokyo")),
            ("2024-01-01 12:00:00.000000", "2025-01-01 00:00:00.000000"),
        ),
        ("string", pa.array(["", "\x00", "é☃", None] * 5), ("", "\x00", "é☃")),
    ],
)
def test_targets_of_every_type(target_type: str, values: pa.Array, labels: tuple[Any, ...]) -> None:
    table = pa.table({"x": np.arange(20) % 4.0, "two": values})
    fitted = _fit("sklearn.decision_tree", _signature("two", {"x": "double"}, target_type), table)
    assert fitted.signature.labels == labels
    answer = Scorer(fitted.onnx, fitted.signature).label([table["x"]])
    wanted = [value for value in values.to_pylist()[:4] if value is not None and value == value]
    assert answer.to_pylist()[: len(wanted)] == wanted


def test_rows_without_a_target_are_left_out() -> None:
    table = pa.table({"x": range(30), "amount": [1.0, None, math.nan] * 5 + [2.0] * 15})
    fitted = _fit("sklearn.decision_tree", _plain(table), table)
    assert (fitted.rows, fitted.held_out) == (16, 4)


@pytest.mark.parametrize(("rows", "fraction", "held_out"), [(9, 0.5, 0), (10, 0.2, 2), (100, 0.0, 0), (100, 0.99, 98)])
def test_how_many_rows_are_held_out(rows: int, fraction: float, held_out: int) -> None:
    table = pa.table({"x": range(rows), "two": (["a", "b"] * rows)[:rows]})
    fitted = _fit("sklearn.decision_tree", _plain(table, "string"), table, test_fraction=fraction)
    assert (fitted.rows, fitted.held_out) == (rows - held_out, held_out)


_NEED_TWO_ROWS = (
    "sklearn.ard_regression",
    "sklearn.calibrated_classifier_cv",
    "sklearn.cca",
    "sklearn.elastic_net_cv",
    "sklearn.hist_gradient_boosting",
    "sklearn.k_neighbors",
    "sklearn.lars_cv",
    "sklearn.lasso_cv",
    "sklearn.lasso_lars_cv",
    "sklearn.lasso_lars_ic",
    "sklearn.logistic_regression_cv",
    "sklearn.nu_svm",
    "sklearn.orthogonal_matching_pursuit_cv",
    "sklearn.pls_canonical",
    "sklearn.pls_regression",
    "sklearn.quadratic_discriminant_analysis",
    "sklearn.ransac",
    "sklearn.stacking",
    "sklearn.voting",
)


def test_a_class_of_one_row_is_learned() -> None:
    table = pa.table({"x": range(100), "two": ["rare"] + ["a", "b", "b"] * 33})
    for row in _SUPERVISED:
        if "classification" in row.classes and row.name not in _NEED_TWO_ROWS:
            assert _fit(row.name, _plain(table, "string"), table).signature.labels == ("a", "b", "rare"), row.name
    with pytest.raises(SqlmlError, match=r"nu = 0.5 cannot separate 'b' .53 rows. and 'rare' .1 rows.") as found:
        _fit("sklearn.nu_svm", _plain(table, "string"), table, params={})
    nu = float(found.value.hint.removeprefix("Use OPTIONS (nu = ").removesuffix(")."))
    assert _fit("sklearn.nu_svm", _plain(table, "string"), table, params={"nu": nu})


def test_one_row_is_enough_for_a_regression() -> None:
    table = pa.table({"x": [1.0], "t": ["a"], "amount": [5.0]})
    for row in _SUPERVISED:
        if "regression" in row.classes and row.name not in _NEED_TWO_ROWS:
            fitted = _fit(row.name, _plain(table), table)
            assert (fitted.rows, fitted.held_out) == (1, 0)
            assert fitted.metrics["rmse"] < 1e-6 or row.noun in ("linear_svm", "neural_network", "sgd"), row.name
    with pytest.raises(SqlmlError, match="n_neighbors = 5 needs at least 5 training rows, but there are 1"):
        _fit("sklearn.k_neighbors", _plain(table), table)


def test_features_that_are_all_constant() -> None:
    table = pa.table({"x": [5.0] * 100, "t": ["k"] * 100, "two": ["a", "b"] * 50})
    with pytest.raises(SqlmlError, match="its predictions for 20 of 20 rows are NaN") as found:
        _fit("sklearn.gaussian_naive_bayes", _plain(table, "string"), table)
    assert found.value.condition == "SQLML_ENGINE_FAILED"
    assert found.value.hint == "No feature has two different values in the training rows."


def test_an_isolation_forest_of_one_row() -> None:
    table = pa.table({"x": [1.0], "t": ["a"]})
    signature = Signature("anomaly_detection", (Feature("x", "double"), Feature("t", "string")), None, "boolean")
    assert _fit("sklearn.isolation_forest", signature, table).rows == 1


@pytest.mark.parametrize(
    ("values", "target_type", "condition", "message"),
    [
        ([], "", "SQLML_TOO_FEW_ROWS", "no rows"),
        ([], "string", "SQLML_TOO_FEW_ROWS", "no rows"),
        ([None] * 5, "", "SQLML_TARGET_INVALID", "NULL in all rows"),
        ([None] * 5, "string", "SQLML_TARGET_INVALID", "NULL in all rows"),
        (["a", None] * 5, "string", "SQLML_TARGET_INVALID", "only one value, 'a'"),
        (["a"] * 5, "", "SQLML_TARGET_INVALID", "not a number"),
        ([f"n{k}" for k in range(1_001)], "string", "SQLML_TARGET_INVALID", "more than 1000 different values. Group"),
    ],
)
def test_targets_that_cannot_be_learned(values: list[Any], target_type: str, condition: str, message: str) -> None:
    kind = pa.string() if target_type or "a" in values else pa.float64()
    table = pa.table({"x": pa.array(range(len(values)), pa.float64()), "amount": pa.array(values, kind)})
    with pytest.raises(SqlmlError, match=message) as found:
        _fit("sklearn.decision_tree", _plain(table, target_type), table)
    assert found.value.condition == condition


@pytest.mark.parametrize(
    ("estimator", "params", "message"),
    [
        ("sklearn.random_forest", {"max_depth": -1}, "The 'max_depth' parameter of RandomForestClassifier must be"),
        ("sklearn.random_forest", {"n_estimators": "many"}, "The 'n_estimators' parameter"),
        ("sklearn.logistic_regression", {"solver": "liblinear"}, "liblinear"),
        ("sklearn.hist_gradient_boosting", {"loss": "poisson"}, "The 'loss' parameter"),
        ("sklearn.hist_gradient_boosting", {"max_bins": 1}, "The 'max_bins' parameter"),
        ("sklearn.decision_tree", {"class_weight": {"11": 2}}, "class_weight names '11'"),
        ("sklearn.decision_tree", {"tol": 2}, "tol is not an option of DecisionTreeClassifier"),
    ],
)
def test_bad_hyperparameters(estimator: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(SqlmlError) as found:
        _fit(estimator, _signature("three"), params=params)
    assert found.value.condition == "SQLML_OPTION_INVALID"
    assert message in found.value.message
    assert "\n" not in found.value.message
