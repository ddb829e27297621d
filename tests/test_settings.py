"""Settings: their texts, their place in the README, and what they do in a session that was started with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.doors.connect import ClientProcess
from helpers.doors.settings import session_settings
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


@pytest.mark.slow
def test_limits_of_collecting(tmp_path: Path) -> None:
    """More rows than allowed: MLlib, or an error where scikit-learn was asked for. More bytes: an error in any case."""
    settings = {
        **session_settings(tmp_path, tmp_path),
        "spark.sqlml.train.maxRows": "50",
        "spark.driver.maxResultSize": "1m",
    }
    door = ClientProcess("pyspark", settings, tmp_path)
    rows = "SELECT id AS a, id * 2.0D AS y FROM range(60)"
    wide = "SELECT repeat(chr(CAST(65 + id % 20 AS INT)), 200000) AS a, id * 2.0D AS y FROM range(40)"
    try:
        chosen, refused, too_wide = door.run(
            [
                f"TRAIN MODEL m USING linear_regression TARGET y AS {rows}",
                f"TRAIN MODEL m USING sklearn.linear_regression TARGET y AS {rows}",
                f"TRAIN MODEL m USING sklearn.decision_tree TARGET y AS {wide}",
            ]
        )
    finally:
        door.close()
    assert chosen.failure is None, chosen.raw
    assert chosen.rows[0][2] == "mllib.linear_regression"
    assert refused.failure is not None and refused.failure.condition == "SQLML_TOO_MANY_ROWS"
    assert "mllib." in refused.raw
    assert too_wide.failure is not None and too_wide.failure.condition == "SQLML_TOO_MANY_ROWS", too_wide.raw
    assert "spark.driver.maxResultSize" in too_wide.raw
