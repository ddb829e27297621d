"""Pictures of a model: which trainings draw them into their MLflow run."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.doors.connect import ClientProcess
from helpers.doors.settings import session_settings


@pytest.mark.slow
@pytest.mark.parametrize("wanted", ["true", pytest.param("false", marks=pytest.mark.nightly)])
def test_a_training_draws_where_the_setting_says_so(tmp_path: Path, wanted: str) -> None:
    settings = {**session_settings(tmp_path, tmp_path), "spark.sqlml.train.plots": wanted}
    door = ClientProcess("pyspark", settings, tmp_path)
    try:
        trained, automatic, distributed = door.run(
            [
                "TRAIN MODEL m USING decision_tree TARGET y AS SELECT id AS a, id % 7 > 2 AS y FROM range(100)",
                "TRAIN MODEL n USING auto TARGET y OPTIONS (num_trials = 1, estimators = ['ridge'])"
                " AS SELECT id AS a, id * 2.0D AS y FROM range(100)",
                "TRAIN MODEL o USING mllib.linear_regression TARGET y AS SELECT id AS a, id * 2.0D AS y FROM range(99)",
            ]
        )
    finally:
        door.close()
    assert trained.failure is None, trained.raw
    assert automatic.failure is None, automatic.raw
    assert distributed.failure is None, distributed.raw
    # Not below Spark's own folders, which it is still removing.
    drawn = sorted(path.name for path in (tmp_path / "mlartifacts").rglob("plots/*"))
    always = ["feature_importance.png", "plots.html"]
    of_classes = ["calibration.png", "confusion_matrix.png", "precision_recall.png", "roc.png"]
    of_numbers = ["predicted_vs_actual.png", "residuals.png"]
    assert drawn == (sorted([*always * 3, *of_classes, *of_numbers * 2]) if wanted == "true" else [])
