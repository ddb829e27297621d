"""How arguments meet features, rule by rule. No JVM."""

from __future__ import annotations

import pytest

from sqlml.binding.arguments import Argument, bind
from sqlml.errors import SqlmlError
from sqlml.signature import Feature, Signature

_SIGNATURE = Signature(
    "classification",
    (Feature("age", "int"), Feature("plan", "string"), Feature("since", "date")),
    "churned",
    "string",
    ("no", "yes"),
)
_AGE, _PLAN, _SINCE = Argument("age", "int"), Argument("plan", "string"), Argument("since", "date")


def _bind(*arguments: Argument, by_name: bool = False) -> list[int]:
    return bind("churn", _SIGNATURE.features, arguments, by_name)


def test_columns_called_like_the_features_bind_by_name_in_any_order() -> None:
    assert _bind(_SINCE, _AGE, _PLAN) == [1, 2, 0]
    assert _bind(Argument("SINCE", "date"), Argument("Age", "bigint"), _PLAN) == [1, 2, 0]


def test_other_names_bind_by_position() -> None:
    assert _bind(Argument("a", "double"), Argument(None, "string"), Argument("c", "date")) == [0, 1, 2]


def test_a_name_in_its_own_place_agrees_with_both_readings() -> None:
    assert _bind(Argument(None, "int"), _PLAN, Argument("c", "date")) == [0, 1, 2]


def test_star_ignores_what_the_model_does_not_need() -> None:
    assert _bind(Argument("id", "bigint"), _PLAN, _SINCE, Argument("tags", "array<string>"), _AGE, by_name=True) == [
        4,
        1,
        2,
    ]


def test_an_exact_name_wins_over_one_in_another_case() -> None:
    assert _bind(Argument("AGE", "int"), _PLAN, _SINCE, _AGE, by_name=True) == [3, 1, 2]


def test_an_untyped_null_fits_everything() -> None:
    null = Argument(None, "void")
    assert _bind(null, null, null) == [0, 1, 2]


@pytest.mark.parametrize(
    ("arguments", "by_name", "condition", "pieces"),
    [
        ((_PLAN, Argument("x", "int"), _SINCE), False, "SQLML_BINDING_MISMATCH", ["Argument 1", "plan", "age <- plan"]),
        ((_AGE, _PLAN), False, "SQLML_COLUMN_NOT_FOUND", ["since"]),
        (
            (Argument("a", "int"),),
            False,
            "SQLML_BINDING_MISMATCH",
            ["has 3 features, but 1 argument was given", "age, plan, since"],
        ),
        ((Argument("aeg", "int"), _PLAN, _SINCE), True, "SQLML_COLUMN_NOT_FOUND", ["column age", "Did you mean aeg?"]),
        ((Argument("x", "int"),), True, "SQLML_COLUMN_NOT_FOUND", ["columns age, plan, since"]),
        (
            (_AGE, _PLAN, _SINCE, Argument("nope", "int", explicit=True)),
            True,
            "SQLML_COLUMN_NOT_FOUND",
            ["has no feature nope. Its features are age, plan, since."],
        ),
        (
            (Argument("aeg", "int", explicit=True), _PLAN, _SINCE),
            True,
            "SQLML_COLUMN_NOT_FOUND",
            ["has no feature aeg. Did you mean age? Its features are"],
        ),
        ((_AGE, _AGE, _PLAN, _SINCE), True, "SQLML_AMBIGUOUS_FEATURE", ["2 columns are called age"]),
        (
            (Argument("age", "string"), _PLAN, _SINCE),
            False,
            "SQLML_TYPE_MISMATCH",
            ["age", "INT", "STRING", "CAST(age AS INT)"],
        ),
        ((_AGE, Argument("plan", "int"), _SINCE), False, "SQLML_TYPE_MISMATCH", ["plan"]),
        ((_AGE, _PLAN, Argument("since", "timestamp")), False, "SQLML_TYPE_MISMATCH", ["since"]),
        ((_AGE, _PLAN, Argument("since", "array<int>")), True, "SQLML_TYPE_MISMATCH", ["since"]),
    ],
)
def test_errors(arguments: tuple[Argument, ...], by_name: bool, condition: str, pieces: list[str]) -> None:
    with pytest.raises(SqlmlError) as caught:
        _bind(*arguments, by_name=by_name)
    assert caught.value.condition == condition
    assert all(piece in str(caught.value) for piece in pieces), str(caught.value)


def test_features_that_differ_by_case_alone_are_told_apart() -> None:
    features = (Feature("lp", "int"), Feature("LP", "int"))
    upper, lower = Argument("LP", "int"), Argument("lp", "int")
    for by_name in (False, True):
        assert bind("m", features, [upper, lower], by_name) == [1, 0]
        assert bind("m", features, [lower, upper], by_name) == [0, 1]
    with pytest.raises(SqlmlError, match="needs the column LP"):
        bind("m", features, [lower, Argument("Lp", "int")], True)
