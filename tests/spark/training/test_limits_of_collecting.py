"""The limits on rows and bytes that a training collects."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.doors.connect import ClientProcess
from helpers.doors.settings import session_settings


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
