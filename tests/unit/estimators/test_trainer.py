"""scikit-learn in a child process: the same answers, and whatever goes wrong there stays there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import sqlml
from sqlml.errors import SqlmlError
from sqlml.estimators import trainer
from sqlml.estimators.sklearn import training as sklearn
from sqlml.jobs.job import Fitted, Job
from sqlml.signature import Feature, Signature

_SIGNATURE = Signature("classification", (Feature("a", "double"), Feature("b", "string")), "y", "string")
# Minutes of work, so that only a kill ends it in a test's time.
_ENDLESS = {"estimator": "sklearn.gradient_boosting", "params": {"n_estimators": 100_000, "max_depth": 8}}


def _job(estimator: str = "sklearn.decision_tree", params: dict[str, Any] | None = None) -> Job:
    return Job(estimator, _SIGNATURE, params or {}, seed=42, test_fraction=0.2, tolerance=1e-6)


def _table(rows: int = 300) -> pa.Table:
    dice = np.random.default_rng(0)
    a = dice.normal(size=rows)
    b = dice.choice(["x", "y", None], rows)
    return pa.table({"a": a, "b": pa.array(list(b)), "y": pa.array(np.where(a + (b == "x") > 0.5, "yes", "no"))})


def _train(job: Job, table: pa.Table | None = None, **options: Any) -> Fitted:
    client = trainer.Client(options.pop("progress", lambda line: None), options.pop("cancelled", lambda: False))
    with trainer.collected(lambda: _table() if table is None else table, client) as folder:
        return trainer.fit(folder, job, client, **options)


def _children() -> list[int]:
    """The process ids of this process's workers, with whatever state."""
    found = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in found.splitlines()[1:]]
    return [int(pid) for pid, parent, args in rows if int(parent) == os.getpid() and "estimators.worker" in args]


def _soon(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    yield
    assert len(_children()) == len(trainer._IDLE) <= 2


def test_the_child_answers_what_fit_answers() -> None:
    lines: list[str] = []
    fitted = _train(_job(), progress=lines.append)
    assert fitted == sklearn.fit(_job(), _table(), lambda line: None)
    stages = [line.split(":")[0] for line in lines]
    assert stages == ["reading", "fitting", "converting", "measuring", "comparing"]


def test_a_child_is_used_again() -> None:
    _train(_job())
    before = _children()
    _train(_job())
    assert before
    assert _children() == before


def test_a_child_gives_the_memory_of_its_job_back() -> None:
    """One that learned from many rows is kept as well, and costs no more than one that did not."""
    client = trainer.Client(lambda line: None, lambda: False)
    held = []
    for rows in (300, 2_000_000):
        with trainer.collected(lambda rows=rows: _table(rows), client) as folder:  # type: ignore[misc]
            held.append(trainer.here(folder)({"job": _job(params={"max_depth": 2}).to_json()}, client)["held"])
    assert 0 < held[0] < trainer._MOST_IDLE_BYTES
    assert held[1] - held[0] < 2_000_000 * 8, "less than one column of it"


def test_warm_starts_a_child_and_returns() -> None:
    trainer._end()
    started = time.monotonic()
    trainer.warm()
    trainer.warm()
    assert time.monotonic() - started < 1.0
    assert len(_children()) == 1
    _train(_job())
    assert len(_children()) == 1


def test_errors_keep_condition_message_and_hint() -> None:
    job = _job("sklearn.random_forest", {"class_weight": {"yess": 2.0}})
    with pytest.raises(SqlmlError) as found:
        _train(job)
    assert found.value.condition == "SQLML_OPTION_INVALID"
    assert found.value.message == "class_weight names 'yess', which is not a label of the target."
    assert found.value.hint == "Did you mean yes?"
    assert _train(_job()).rows == 240, "the next job goes well"


def test_warnings_are_progress(capfd: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    _train(_job("sklearn.logistic_regression", {"max_iter": 1, "solver": "sag"}), progress=lines.append)
    assert any(line.startswith("warning: The max_iter was reached") for line in lines)
    assert capfd.readouterr() == ("", "")


def test_cancelling_takes_less_than_two_seconds() -> None:
    _train(_job())
    cancel_at = time.monotonic() + 1.0
    with pytest.raises(SqlmlError, match="SQLML_CANCELLED"):
        _train(_job(**_ENDLESS), _table(5_000), cancelled=lambda: time.monotonic() > cancel_at)
    assert time.monotonic() - cancel_at < 2.0


def test_waiting_for_a_place_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "_SLOTS", threading.BoundedSemaphore(1))
    lines: list[str] = []
    with trainer._SLOTS, pytest.raises(SqlmlError, match="SQLML_CANCELLED"):
        _train(_job(), progress=lines.append, cancelled=lambda: True)
    assert [line.split(":")[0] for line in lines] == ["waiting"]
    assert _train(_job()).rows == 240, "the place is free again"


@pytest.mark.parametrize(
    ("signal_", "message"),
    [(signal.SIGKILL, "ran out of memory"), (signal.SIGSEGV, "was killed by SIGSEGV")],
)
def test_a_child_that_dies(signal_: signal.Signals, message: str) -> None:
    started = threading.Event()

    def kill(line: str) -> None:
        if not started.is_set():
            started.set()
            (child,) = set(_children()) - idle
            os.kill(child, signal_)

    _train(_job())
    idle = {worker._process.pid for worker in trainer._IDLE[:-1]}
    with pytest.raises(SqlmlError, match=message) as found:
        _train(_job(**_ENDLESS), _table(5_000), progress=kill)
    assert found.value.condition == "SQLML_ENGINE_FAILED"
    assert _train(_job()).rows == 240, "the next job has a new child"


def test_an_idle_child_that_died_is_replaced() -> None:
    _train(_job())
    for child in _children():
        os.kill(child, signal.SIGKILL)
    assert _train(_job()).rows == 240


def test_a_child_that_dies_while_it_is_taken_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its end is noticed only when the job is written to its pipe."""
    _train(_job())
    for worker in trainer._IDLE:
        os.kill(worker._process.pid, signal.SIGKILL)
        worker._process.wait()
    really = trainer._Worker.alive.fget  # type: ignore[attr-defined]
    said = iter([True])
    monkeypatch.setattr(trainer._Worker, "alive", property(lambda self: next(said, False) or really(self)))
    assert _train(_job()).rows == 240


def test_a_memory_limit_ends_the_child_and_nothing_else() -> None:
    with pytest.raises(SqlmlError, match=r"SQLML_ENGINE_FAILED.*more memory than spark.sqlml.train.memory"):
        _train(_job("sklearn.random_forest"), _table(200_000), memory=50 * 1024**2)
    assert _train(_job()).rows == 240


def test_an_error_in_the_progress_callback_ends_the_child() -> None:
    def fail(line: str) -> None:
        raise RuntimeError("the client is gone")

    with pytest.raises(RuntimeError, match="the client is gone"):
        _train(_job(), progress=fail)


def test_several_at_once_give_each_its_own_answer() -> None:
    found: dict[int, Fitted] = {}

    def work(depth: int) -> None:
        found[depth] = _train(_job(params={"max_depth": depth}))

    threads = [threading.Thread(target=work, args=(depth,)) for depth in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {depth: fitted.params["max_depth"] for depth, fitted in found.items()} == {n: n for n in range(1, 5)}


# -- the end of the parent ---------------------------------------------------------------------------------------------

_PARENT = """
import random
import pyarrow as pa
from sqlml.estimators import trainer
from sqlml.jobs.job import Job
from sqlml.signature import Feature, Signature
signature = Signature("regression", (Feature("a", "double"),), "y", "double")
table = pa.table({name: [random.random() for _ in range(5_000)] for name in "ay"})
job = Job("sklearn.gradient_boosting", signature, {"n_estimators": 100_000}, 42, 0.2, 1e-6)
trainer.warm()
child = trainer._IDLE[0]._process.pid
client = trainer.Client(lambda line: print(child, flush=True), lambda: False)
with trainer.collected(lambda: table, client) as folder:
    trainer.fit(folder, job, client)
"""


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGKILL])
def test_the_child_ends_with_its_parent(signal_: signal.Signals, tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**_environment(), "TMPDIR": str(tmp_path)},
    )
    assert parent.stdout is not None
    with parent:
        child = int(parent.stdout.readline())
        assert list(tmp_path.iterdir())
        os.kill(parent.pid, signal_)
        parent.stdout.read()
    assert _soon(lambda: not Path(f"/proc/{child}").exists()), "the child outlived its parent"
    assert not list(tmp_path.iterdir()), "the rows outlived their training"


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(sqlml.__file__).parent.parent)}


def test_the_child_ends_at_the_end_of_its_input() -> None:
    command = [sys.executable, "-m", "sqlml.estimators.worker"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, env=_environment(), timeout=60, check=False)
    assert done.returncode == 0
