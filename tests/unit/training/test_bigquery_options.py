"""BigQuery ML's options and this language's own, given together."""

from __future__ import annotations

from typing import Any

import pytest

from sqlml.errors import SqlmlError
from sqlml.estimators import resolve
from sqlml.parser.cursor import Option
from sqlml.training import Request, bigquery


def _request(model_type: str, **options: Any) -> Request:
    given = {"model_type": model_type, "input_label_cols": ("y",), **options}
    placed = tuple(Option(name, value, place * 10) for place, (name, value) in enumerate(given.items()))
    return Request("m", "SELECT 1", 0, None, None, None, None, (), placed)


@pytest.mark.parametrize(
    ("model_type", "options", "message"),
    [
        ("linear_reg", {"data_split_col": "a", "split_column": "b"}, "data_split_col and split_column both set"),
        (
            "linear_reg",
            {"test_fraction": 0.1, "data_split_eval_fraction": 0.2},
            "both set test_fraction",
        ),
        ("linear_reg", {"l2_reg": 1.0, "alpha": 2.0}, "l2_reg and alpha both set alpha"),
        ("logistic_reg", {"auto_class_weights": True, "class_weights": {"x": 2}}, "both set class_weights"),
        (
            "automl_classifier",
            {"budget_hours": 1, "time_budget": 5},
            "budget_hours and time_budget both set",
        ),
    ],
)
def test_one_option_by_both_names(model_type: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(SqlmlError, match=message) as found:
        bigquery.translate(_request(model_type, **options))
    assert (found.value.condition, found.value.offset) == ("SQLML_OPTION_INVALID", 30), "the place of the second"


def test_one_hyperparameter_by_both_names() -> None:
    request = bigquery.translate(_request("boosted_tree_regressor", max_iterations=5, n_estimators=6))
    given = [option for option in request.options if option.name != "task"]
    with pytest.raises(SqlmlError, match="max_iterations and n_estimators both set n_estimators") as found:
        bigquery.hyperparameters(resolve("xgboost", "regression", "xgboost"), given)
    assert found.value.offset == 30


def test_what_says_nothing_is_no_second_name() -> None:
    request = bigquery.translate(_request("logistic_reg", auto_class_weights=False, class_weights={"x": 2}))
    assert [option.name for option in request.options] == ["task", "class_weights"]
