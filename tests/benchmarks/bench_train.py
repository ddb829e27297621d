"""TRAIN MODEL beside the same library called from Python: `toPandas()` and `fit`, with the same parameters.

Two ways of TRAIN: on all rows and without pictures, which is nearest to what the library does by itself, though it
still measures, compares and registers; and with the defaults, which fit four fifths of the rows and measure the rest.
Wall-clock time says little on a machine that others use, so the processor's seconds of all processes stand beside it.
The memory by hand is taken by the same meter: it says what a library itself takes, copies of its own included.

`TRAIN_ROWS=100000` and `TRAIN_ROUNDS=1` make it shorter.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from benchmarks.data import NUMBERS, TARGET, folder_of
from benchmarks.measuring import measured

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import SparkSession

# As TRAIN's own processes have it, before any library reads it: on a busy machine threads that spin take minutes.
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
ROWS, ROUNDS = int(os.environ.get("TRAIN_ROWS", "1000000")), int(os.environ.get("TRAIN_ROUNDS", "3"))
# A forest of full depth takes minutes on all rows.
_SHARE = {"random_forest": 0.1}
_TEXTS = "CASE WHEN f27 < -1 THEN 'low' WHEN f27 < 1 THEN 'middle' ELSE 'high' END AS word"
_BY_HAND: dict[str, Callable[[], Any]] = {}


def _by_hand(name: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    def kept(make: Callable[[], Any]) -> Callable[[], Any]:
        _BY_HAND[name] = make
        return make

    return kept


@_by_hand("lightgbm")
def _lightgbm() -> Any:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(deterministic=True, force_row_wise=True, verbose=-1, random_state=42, n_jobs=-1)


@_by_hand("xgboost")
def _xgboost() -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(random_state=42, n_jobs=-1, enable_categorical=True)


@_by_hand("random_forest")
def _random_forest() -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(random_state=42, n_jobs=-1)


@_by_hand("hist_gradient_boosting")
def _hist_gradient_boosting() -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(random_state=42, categorical_features="from_dtype")


@_by_hand("logistic_regression")
def _logistic_regression() -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(max_iter=1000))


def _processes() -> Iterator[Path]:
    """This process and its children that train; others may train on this machine too."""
    found = [Path("/proc/self")]
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"sqlml.estimators.worker" in command.read_bytes() and _parent(command.parent) == os.getpid():
                found.append(command.parent)
        except OSError:
            continue  # it has ended meanwhile
    yield from found


def _parent(process: Path) -> int:
    # Behind the name, which may hold anything, even blanks and parentheses: proc(5), field 4.
    return int((process / "stat").read_text().rpartition(")")[2].split()[1])


@contextmanager
def _peak() -> Iterator[Callable[[], float]]:
    """How many bytes of their own, mapped files not counted, this process and those that train have had at once, beyond
    what they had at the beginning."""
    over = threading.Event()
    gc.collect()
    pa.default_memory_pool().release_unused()  # else the next one would begin with what the last one has left
    most = before = _own()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.05):
            most = max(most, _own())

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield lambda: most - before
    finally:
        over.set()
        watching.join()


def _own() -> int:
    total = 0
    for process in _processes():
        try:
            lines = (process / "status").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))
    return total


def _fit(name: str, frame: pd.DataFrame) -> None:
    inputs = frame.drop(columns=TARGET)
    if "word" in inputs:
        inputs["word"] = inputs["word"].astype("category")
    _BY_HAND[name]().fit(inputs, frame[TARGET])


@pytest.mark.parametrize("texts", [False, True], ids=["numbers", "texts"])
@pytest.mark.parametrize("name", _BY_HAND)
def test_train(name: str, texts: bool, spark: SparkSession, tmp_path: Path) -> None:
    if texts and name not in ("lightgbm", "xgboost", "hist_gradient_boosting"):
        pytest.skip("By hand it would take an encoder of texts, and then that is compared.")
    pytest.importorskip(name) if name in ("lightgbm", "xgboost") else None
    rows = int(ROWS * _SHARE.get(name, 1.0))
    spark.read.parquet(str(folder_of(NUMBERS, rows, tmp_path) / "t")).createOrReplaceTempView("train_rows")
    query = f"SELECT {', '.join([*NUMBERS.numbers[:-1], _TEXTS if texts else NUMBERS.numbers[-1]])}, {TARGET}"
    query += " FROM train_rows"
    arrow = spark.sql(query).toArrow().nbytes
    options = {"all rows, no pictures": "OPTIONS (test_fraction = 0)", "defaults": ""}
    statement = f"TRAIN MODEL trained USING {name} TARGET {TARGET}"
    spark.sql(f"{statement} AS {query} LIMIT 1000").collect()  # imports, and a process that trains
    _fit(name, spark.sql(f"{query} LIMIT 1000").toPandas())
    found: dict[str, list[tuple[float, float, float]]] = {}
    for _ in range(ROUNDS):
        ways = {"by hand": lambda: _fit(name, spark.sql(query).toPandas())}
        ways |= {
            way: lambda given=given: spark.sql(f"{statement} {given} AS {query}").collect()  # type: ignore[misc]
            for way, given in options.items()
        }
        for way, run in ways.items():
            with _peak() as most:
                cost = measured(run)
            found.setdefault(way, []).append((cost.wall, cost.processor or 0.0, most() / arrow))
    print()
    for way, costs in found.items():
        seconds, processor, memory = (median(values) for values in zip(*costs, strict=True))
        by_hand = median(cost[1] for cost in found["by hand"])
        print(
            f"{name}, {rows} rows{' with a text' if texts else ''}, {way}: {seconds:.1f} s, {processor:.1f} s of"
            f" processor time ({processor / by_hand:.2f} of by hand), {memory:.2f} times the rows' Arrow bytes"
        )
    # Far beyond the goal, which is 1.15 and 2.5: what fails here is a mistake and not a slow machine.
    assert median(cost[2] for cost in found["defaults"]) < 6
