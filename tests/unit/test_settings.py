"""Settings: their texts, their place in the README, and what they do in a session that was started with them."""

from __future__ import annotations

import pytest
from helpers.folders import ROOT

from sqlml.errors import SqlmlError
from sqlml.settings import CACHE_SIZE, MAX_ROWS, SETTINGS, TRAIN_MEMORY, TRAIN_PLOTS

_README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_texts_and_values() -> None:
    assert MAX_ROWS.value("") == 1_000_000
    assert MAX_ROWS.value("20_000") == 20_000
    assert TRAIN_MEMORY.value("") is None
    assert TRAIN_MEMORY.value("4g") == 4 * 1024**3
    assert CACHE_SIZE.value("") == CACHE_SIZE.value("256MB") == 256 * 1024**2
    assert CACHE_SIZE.value("100") == 100
    assert TRAIN_PLOTS.value("") is TRAIN_PLOTS.value("TRUE") is True
    assert TRAIN_PLOTS.value("false") is False


@pytest.mark.parametrize(
    ("setting", "text"), [(MAX_ROWS, "many"), (MAX_ROWS, "0"), (TRAIN_MEMORY, "4 apples"), (TRAIN_PLOTS, "1")]
)
def test_a_wrong_text_names_the_setting(setting: object, text: str) -> None:
    with pytest.raises(SqlmlError) as caught:
        setting.value(text)  # type: ignore[attr-defined]
    assert caught.value.condition == "SQLML_OPTION_INVALID"
    assert setting.key in caught.value.message  # type: ignore[attr-defined]
    assert repr(text) in caught.value.message


def test_every_setting_is_in_the_readme() -> None:
    for setting in SETTINGS:
        assert f"| `{setting.key}` |" in _README
