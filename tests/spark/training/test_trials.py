"""Trials as Spark tasks on executors that are processes of their own."""

from __future__ import annotations

import io
import json
import multiprocessing
import re
import time
import urllib.parse
import urllib.request
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import ExitStack, redirect_stderr
from pathlib import Path
from typing import Any

import pytest
from helpers.doors.settings import session_settings

_SEARCH = (
    "TRAIN MODEL {} USING sklearn.{} TARGET y OPTIONS (max_depth = hparam_range(1, 9), num_trials = {}, cv_folds = 2)"
    " AS SELECT id AS a, id % 7 AS b, id * 2654435761 % 1000 > 400 AND id % 7 > 2 AS y FROM range(400)"
)


@pytest.mark.nightly
def test_trials_on_executors(tmp_path: Path) -> None:
    """In a process of its own, because one process has one Spark context."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(_on_a_cluster, tmp_path).result(timeout=900)


def _on_a_cluster(folder: Path) -> None:
    from pyspark.sql import SparkSession

    import sqlml

    settings = session_settings(folder, folder, "local-cluster[2,1,1024]")
    (folder / "executors").mkdir()
    settings |= {
        "spark.executorEnv.TMPDIR": str(folder / "executors"),
        "spark.ui.enabled": "true",
        "spark.ui.port": "0",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder
    for key, value in settings.items():
        builder = builder.config(key, value)
    spark = sqlml.configure(builder).getOrCreate()
    try:
        _same_trials_as_on_the_driver(spark)
        _executors_without_a_library(spark, folder)
        _killed_in_the_ui(spark, folder)
    finally:
        spark.stop()


def _same_trials_as_on_the_driver(spark: Any) -> None:
    lines = _train(spark, _SEARCH.format("m", "decision_tree", 5))
    assert "trials run on the executors" in lines, lines
    assert {job["description"] for job in _jobs(spark, "succeeded")} >= {
        f"sqlml: TRAIN MODEL m: trial {number} of 5" for number in range(1, 6)
    }
    executors = json.loads(_ui(spark, "executors"))
    assert all(one["completedTasks"] > 0 for one in executors if one["id"] != "driver")
    # What no client can do: the setting is static.
    spark.sparkContext._conf.set("spark.sqlml.train.trials", "driver")
    assert not any("trials run on" in line for line in _train(spark, _SEARCH.format("m", "decision_tree", 5)))
    spark.sparkContext._conf.set("spark.sqlml.train.trials", "auto")
    here, there = (
        spark.sql(f"SHOW TRIALS m VERSION {version}").drop("version", "seconds", "run_id").collect()
        for version in (1, 2)
    )
    assert len(here) == 5
    assert here == there


def _executors_without_a_library(spark: Any, folder: Path) -> None:
    (folder / "poor").mkdir()
    (folder / "poor" / "sklearn.py").write_text("raise ImportError('not here')")
    spark.sparkContext.environment["PYTHONPATH"] = str(folder / "poor")
    lines = _train(spark, _SEARCH.format("poor", "decision_tree", 2))
    assert "trials run on the driver: the executors' Python has no sklearn" in lines, lines
    assert lines[-1].startswith("comparing"), "and the model is there"
    spark.sparkContext._conf.set("spark.sqlml.train.trials", "executors")
    with pytest.raises(Exception, match=r"SQLML_MISSING_PACKAGE.*Trials must run on the executors"):
        _train(spark, _SEARCH.format("poor", "decision_tree", 2))
    del spark.sparkContext.environment["PYTHONPATH"]


def _killed_in_the_ui(spark: Any, folder: Path) -> None:
    """Whoever ends one trial ends the training, and nothing goes on where it ran."""
    endless = _SEARCH.replace("cv_folds = 2", "n_estimators = 10000000").format("endless", "gradient_boosting", 8)
    with ThreadPoolExecutor(1) as pool, ExitStack() as stack:
        # Where an assertion fails, nobody waits for it to end.
        stack.callback(spark.sparkContext.cancelAllJobs)
        training = pool.submit(_train, spark, endless)
        running: list[dict[str, Any]] = []
        while not (running and list((folder / "executors").glob("sqlml-trial-*"))):
            assert not wait([training], 0.3).done, training.result()
            running = [job for job in _jobs(spark, "running") if "trial" in job["description"]]
        started = time.monotonic()
        _click_kill(spark, running[0]["jobId"])
        with pytest.raises(Exception, match="SQLML_CANCELLED"):
            training.result()
        assert time.monotonic() - started < 5
    # A child removes its folder when it ends.
    while list((folder / "executors").glob("sqlml-trial-*")):
        assert time.monotonic() - started < 10
        time.sleep(0.1)
    assert _jobs(spark, "running") == []
    assert spark.sql("SHOW MODELS LIKE 'endless'").collect() == []


def _click_kill(spark: Any, job: int) -> None:
    pages = spark.sparkContext.uiWebUrl + "/jobs/"
    button = rf'name="id" value="{job}"/>\s*<input type="hidden" name="csrfToken" value="(\w+)"'
    with urllib.request.urlopen(pages) as page:
        token = re.search(button, page.read().decode())
    assert token is not None
    form = urllib.parse.urlencode({"id": job, "csrfToken": token[1]})
    urllib.request.urlopen(f"{pages}job/kill/", data=form.encode())


def _train(spark: Any, sql: str) -> list[str]:
    """The lines of progress."""
    with redirect_stderr(io.StringIO()) as text:
        spark.sql(sql).collect()
    return text.getvalue().splitlines()


def _jobs(spark: Any, status: str) -> list[dict[str, Any]]:
    return [{"description": "", **job} for job in json.loads(_ui(spark, f"jobs?status={status}"))]


def _ui(spark: Any, what: str) -> bytes:
    context = spark.sparkContext
    with urllib.request.urlopen(f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}/{what}") as answer:
        return bytes(answer.read())
