"""What missing numbers count as, what says that they are missing, how texts become numbers, where OPTIONS say so."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from helpers.sklearn_fits import FEATURES as _FEATURES
from helpers.sklearn_fits import fit as _fit
from helpers.sklearn_fits import hostile_table as _table
from helpers.sklearn_fits import signature_of as _signature

from sqlml.errors import SqlmlError
from sqlml.estimators import ESTIMATORS, Estimator, missing_values
from sqlml.jobs.preparation import Preparation
from sqlml.scoring.feature_values import NULL_TEXT
from sqlml.scoring.scorer import Scorer
from sqlml.signature import Feature, Signature

_ROWS = [row for row in ESTIMATORS if row.name in ("lightgbm", "sklearn.decision_tree", "xgboost")]
_ROWS += [row for row in ESTIMATORS if row.name in ("sklearn.hist_gradient_boosting", "sklearn.logistic_regression")]
_ROWS += [row for row in ESTIMATORS if row.name in ("sklearn.linear_regression", "sklearn.svm")]


@pytest.mark.parametrize("encode", [{"many": "target"}, {"many": "ordinal", "t.e`x t": "target", "never": "ordinal"}])
@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row.name)
def test_the_graph_encodes_as_the_pipeline_does(row: Estimator, encode: dict[str, str]) -> None:
    target = "two" if "classification" in row.classes else "amount"
    impute: dict[str, Any] = {"NaN": "median", "tiny": -5.0, "flag": "most_frequent", "day": "median"}
    tolerance = 1e-6 if row.name == "xgboost" else 1e-9
    params = {"n_estimators": 10} if row.engine != "sklearn" else {}
    signature = _signature(target)
    fitted = _fit(row.name, signature, encode=encode, impute=impute, tolerance=tolerance, params=params)
    assert fitted.fidelity.label_mismatches == 0
    assert {code.feature: code.encoding for code in fitted.preparation.codes} == encode
    assert {category.feature for category in fitted.preparation.categories} == set(encode) ^ {
        "many",
        "t.e`x t",
        "never",
    }
    assert Preparation.from_json(fitted.preparation.to_json()) == fitted.preparation
    assert "as numbers" in fitted.preparation.describe("many")
    imputed = {column.feature: column.impute for column in fitted.preparation.numbers if not column.part}
    assert imputed["tiny"] == -5.0
    assert imputed["flag"] in (0.0, 1.0)


def _trained(encode: dict[str, str], target: str = "amount") -> Any:
    texts = ["a", "b", None, "c"] * 10
    table = pa.table({"t": texts, "amount": [1.0, 2.0, 3.0, 4.0] * 10, "two": ["n", "y", "n", "y"] * 10})
    signature = _signature(target, {"t": "string"})
    return _fit("sklearn.linear_regression", signature, table, encode=encode, test_fraction=0.0)


def test_what_the_codes_are() -> None:
    (ordinal,) = _trained({"t": "ordinal"}).preparation.codes
    assert ordinal.categories == (NULL_TEXT, "a", "b", "c")
    steps = [round(b - a, 9) for a, b in zip(ordinal.codes, ordinal.codes[1:], strict=False)]
    assert len(set(steps)) == 1, "places in order, scaled"
    (means,) = _trained({"t": "target"}).preparation.codes
    assert sorted(means.codes) == [means.codes[place] for place in (1, 2, 0, 3)], (
        "the more the target, the more the code"
    )
    fitted = _trained({"t": "target"})
    said = Scorer(fitted.onnx, fitted.signature).label([pa.array(["a", "c", "never seen"])]).to_pylist()
    assert said[0] < said[2] < said[1]


def test_a_number_for_what_is_missing() -> None:
    table = pa.table({"x": [1.0, 1.0, 4.0, None] * 10, "amount": [1.0, 1.0, 4.0, 9.0] * 10})
    for wanted, value in (("median", 1.0), ("most_frequent", 1.0), ("mean", 2.0), (9, 9.0)):
        signature = _signature("amount", {"x": "double"})
        fitted = _fit("sklearn.decision_tree", signature, table, impute={"x": wanted}, test_fraction=0.0)
        assert fitted.preparation.numbers[0].impute == value
    fitted = _fit("lightgbm", signature, table, impute={"x": 9.0}, test_fraction=0.0, params={"n_estimators": 2})
    assert fitted.preparation.numbers[0].impute == 9.0


def test_a_target_without_a_mean() -> None:
    with pytest.raises(
        SqlmlError, match="needs a target that is a number or has two classes, but there is one with 3 classes"
    ) as found:
        _fit("sklearn.decision_tree", _signature("three"), encode={"many": "target"})
    assert found.value.condition == "SQLML_OPTION_INVALID"
    features = tuple(Feature(*pair) for pair in _FEATURES.items())
    signature = Signature("clustering", features, None, "int")
    with pytest.raises(SqlmlError, match="but there is none"):
        _fit("sklearn.k_means", signature, encode={"many": "target"}, test_fraction=0.0)
    assert _fit("sklearn.k_means", signature, encode={"many": "ordinal"}, test_fraction=0.0).preparation.codes
    assert _table().num_rows == 400


# -- flags -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row.name)
def test_the_graph_flags_what_is_missing(row: Estimator) -> None:
    target = "two" if "classification" in row.classes else "amount"
    tolerance = 1e-6 if row.name == "xgboost" else 1e-9
    params = {"n_estimators": 10, "monotone_constraints": {"epoch": 1}} if row.engine != "sklearn" else {}
    flagged = ("epoch", "NaN", "nothing", "tiny", "flag", "day", "moment")
    impute: dict[str, Any] = {"NaN": "median", "day": "mean"}
    fitted = _fit(row.name, _signature(target), missing_flag=flagged, impute=impute, tolerance=tolerance, params=params)
    # Nothing is missing of `epoch` and `moment`; trees and boosting keep what is missing of the others.
    imputed = ("NaN", "nothing", "tiny", "flag", "day")
    native = missing_values.are_taken(row, _signature(target).task, params)
    assert fitted.preparation.flags == (("NaN", "day") if native else imputed)
    assert fitted.fidelity.label_mismatches == 0
    assert Preparation.from_json(fitted.preparation.to_json()) == fitted.preparation
    said = fitted.preparation.describe("NaN")
    assert said.startswith("NULL counts as") and said.endswith("; a flag column marks missing values")
    assert not fitted.preparation.describe("epoch").endswith("missing")


def test_a_flag_tells_a_gap_from_its_mean() -> None:
    table = pa.table({"x": [1.0, 2.0, 3.0, None] * 10, "amount": [1.0, 2.0, 3.0, 9.0] * 10})
    signature = _signature("amount", {"x": "double"})
    plain = _fit("sklearn.linear_regression", signature, table, test_fraction=0.0)
    fitted = _fit("sklearn.linear_regression", signature, table, test_fraction=0.0, missing_flag=("x",), curves=True)
    column = [pa.array([None, float("nan"), 2.0])]
    assert Scorer(fitted.onnx, fitted.signature).label(column).to_pylist() == pytest.approx([9.0, 9.0, 2.0])
    first, second, third = Scorer(plain.onnx, plain.signature).label(column).to_pylist()
    assert first == second == third, "2 is the mean"
    assert fitted.curves["importance"]["features"] == ["x"], "a flag is of its feature"
    old = json.loads(plain.preparation.to_json())
    del old["flags"]
    assert Preparation.from_json(json.dumps(old)) == plain.preparation
