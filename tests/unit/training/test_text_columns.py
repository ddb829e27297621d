"""Text columns that nothing can be learned from, and texts that hold numbers or dates: one rule over all rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sqlml.errors import SqlmlError
from sqlml.parser.cursor import Column
from sqlml.signature import Feature
from sqlml.training import PreviousVersion, Request, texts
from sqlml.training.texts import TextColumn

_FEATURES = (Feature("name", "string"), Feature("a", "int"), Feature("the day", "string"))
_LOOKED = (TextColumn("name", 100, 99), TextColumn("the day", 100, 100, "DATE"), TextColumn("y", 100, 2))
_REQUEST = Request("m", "SELECT 1", 40, None, None, Column("y", 20), None, (), ())


def test_a_share_of_all_rows_decides() -> None:
    assert TextColumn("name", 51, 46).is_key
    assert not TextColumn("name", 51, 45).is_key
    # So few rows may well have a text each.
    assert not TextColumn("name", 50, 50).is_key
    assert not TextColumn("name", 0, 0).is_key


def test_what_was_not_named_is_left_out() -> None:
    left, out = texts.without_keys(_REQUEST, _FEATURES, _LOOKED, ())
    assert left == (Feature("a", "int"),)
    assert texts.warnings(_LOOKED, out, left) == [
        "left out: name, 99 different values in 100 rows",
        "left out: the day, 100 different values in 100 rows (the day reads as dates: CAST(`the day` AS DATE))",
    ]


def test_what_was_named_is_an_error_with_a_clause_to_paste() -> None:
    names = ("name", "a", "the day")
    request = replace(_REQUEST, features=tuple(Column(name, 30) for name in names))
    with pytest.raises(SqlmlError) as found:
        texts.without_keys(request, _FEATURES, _LOOKED, ("NAME", "a", "the day"))
    assert "name has 99 different values" in found.value.message
    assert "the day has 100 different values" in found.value.message
    assert (
        found.value.hint
        == "In the query, the day reads as dates: CAST(`the day` AS DATE). Leave them out: FEATURES (a)."
    )
    assert found.value.offset == 30


def test_a_model_that_is_trained_again_keeps_its_features() -> None:
    request = replace(_REQUEST, before=PreviousVersion(features=("name", "a"), left_out=("the day",)))
    few = (TextColumn("name", 100, 99), TextColumn("the day", 100, 3))
    left, out = texts.without_keys(request, _FEATURES, few, ())
    assert [feature.name for feature in left] == ["name", "a"]
    assert texts.warnings(few, out, left) == [
        "left out: the day, as in the version before",
        "name has 99 different values in 100 rows, so almost nothing can be learned from it",
    ]


def test_nothing_is_left() -> None:
    with pytest.raises(
        SqlmlError,
        match=r"No feature is left, because nearly every row has another value: name has 99 different .* 100 rows;"
        " the day has 100",
    ):
        texts.without_keys(_REQUEST, (_FEATURES[0], _FEATURES[2]), _LOOKED, ())
