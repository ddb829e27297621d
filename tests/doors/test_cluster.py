"""The golden files on executors that are processes of their own: nothing relies on the driver's memory or files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from helpers.doors.checking import FILES, check
from helpers.doors.opening import Doors
from helpers.doors.result import Door
from helpers.doors.servers import standalone_master, standalone_worker

# What the files say about SQL alone is the same on any cluster; these train or score.
_SCORING = [path for path in FILES if path.stem not in ("stock", "names_not_reserved", "create_model")]
# Two executors share two cores with everything else, so `make test` takes one file there, and `make test-all` all.
# tests/doors/test_bare_executors.py has both engines on a cluster.
_ALWAYS = ("predict",)
_ON_LOCAL_CLUSTER = [
    pytest.param(path, id=path.stem, marks=[] if path.stem in _ALWAYS else [pytest.mark.nightly]) for path in _SCORING
]


@pytest.fixture(scope="module")
def local_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with Doors(tmp_path_factory.mktemp("local-cluster"), master="local-cluster[2,1,1024]") as doors:
        yield doors.open("pyspark")


@pytest.fixture(scope="module")
def standalone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A master and two workers on the loopback, and the shell as a client of theirs."""
    folder = tmp_path_factory.mktemp("standalone")
    with ExitStack() as stack:
        master = standalone_master(folder / "master")
        stack.callback(master.stop)
        for name in ("worker-1", "worker-2"):
            stack.callback(standalone_worker(master.address, folder / name).stop)
        yield stack.enter_context(Doors(folder, master=master.address)).open("spark-sql")


@pytest.mark.doors
@pytest.mark.parametrize("path", _ON_LOCAL_CLUSTER)
def test_local_cluster(path: Path, local_cluster: Door) -> None:
    check(local_cluster, path)


@pytest.mark.doors
@pytest.mark.nightly
@pytest.mark.parametrize("path", _SCORING, ids=lambda path: path.stem)
def test_standalone(path: Path, standalone: Door) -> None:
    check(standalone, path)
