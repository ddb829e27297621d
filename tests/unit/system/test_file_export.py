"""Files that a statement writes: whole or not at all, below the allowed folders, whatever is renamed meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from sqlml.errors import SqlmlError
from sqlml.system import file_export
from sqlml.system.allowed_paths import AllowedPaths
from sqlml.system.file_export import Existing


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An allowed folder beside one that is not."""
    for name in ("home", "home/sub", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "home" / "model").write_bytes(b"model")
    return tmp_path / "home"


def _write(path: object, home: Path, content: bytes = b"new", overwrite: bool = False) -> int:
    def make(place: Path) -> None:
        place.write_bytes(content)

    earlier = (lambda existing: existing.read(100) == b"earlier") if overwrite else None
    return file_export.write(str(path), AllowedPaths.of([str(home)]), make, earlier)


def _not_written(path: object, home: Path, condition: str, **words: bool) -> str:
    before = sorted(home.parent.rglob("*"))
    with pytest.raises(SqlmlError) as caught:
        _write(path, home, **words)
    assert caught.value.condition == condition
    assert sorted(home.parent.rglob("*")) == before, "something was left behind"
    return str(caught.value)


def test_what_may_be_written(home: Path) -> None:
    assert _write(home / "a.onnx", home) == 3
    assert (home / "a.onnx").read_bytes() == b"new"
    assert (home / "a.onnx").stat().st_nlink == 1, "the scratch file is gone"
    assert (home / "a.onnx").stat().st_mode & 0o777 == 0o666 & ~_umask()
    assert _write(f"file://{home}/sub/../b.onnx", home) == 3
    assert sorted(path.name for path in home.iterdir()) == ["a.onnx", "b.onnx", "model", "sub"]


def _umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now


def test_what_may_not_be_written(home: Path) -> None:
    other = home.parent / "other"
    (home / "link").symlink_to(other / "new")
    (home / "folder").symlink_to(other)
    for path in (other / "x", f"{home}/../x", home / "folder" / "x", "/etc/cron.d/x", f"s3a://bucket{home}/x"):
        _not_written(path, home, "SQLML_PATH_NOT_ALLOWED")
    for path in (home / "link", home, f"{home}/", f"{home}/sub/.."):
        _not_written(path, home, "SQLML_PATH_NOT_ALLOWED", overwrite=True)
    _not_written(home / "no" / "x", home, "SQLML_PATH_NOT_FOUND")
    for name in ("x" * 300, "folder/" * 2000 + "x", "half a pair \ud800", "a\0b"):
        condition = "SQLML_PATH_NOT_FOUND" if name == "x" * 300 else "SQLML_PATH_NOT_ALLOWED"
        _not_written(f"{home}/{name}", home, condition)
    assert "OPTIONS (overwrite = true)" in _not_written(home / "model", home, "SQLML_PATH_ALREADY_EXISTS")


def test_only_an_earlier_export_is_replaced(home: Path) -> None:
    text = _not_written(home / "model", home, "SQLML_PATH_ALREADY_EXISTS", overwrite=True)
    assert "not an earlier export" in text
    (home / "old").write_bytes(b"earlier")
    assert _write(home / "old", home, overwrite=True) == 3
    assert (home / "old").read_bytes() == b"new"
    assert _write(home / "fresh", home, overwrite=True) == 3


def test_a_failure_leaves_what_was_there(home: Path) -> None:
    def make(place: Path) -> None:
        place.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    (home / "old").write_bytes(b"earlier")
    before = sorted(home.rglob("*"))
    with pytest.raises(SqlmlError, match="cannot be written: No space left on device"):
        file_export.write(str(home / "old"), AllowedPaths.of([str(home)]), make, lambda place: True)
    assert sorted(home.rglob("*")) == before and (home / "old").read_bytes() == b"earlier"


def test_whoever_was_faster_keeps_the_name(home: Path) -> None:
    def make(place: Path) -> None:
        place.write_bytes(b"late")
        (home / "raced").write_bytes(b"first")

    with pytest.raises(SqlmlError, match="already exists"):
        file_export.write(str(home / "raced"), AllowedPaths.of([str(home)]), make, None)
    assert (home / "raced").read_bytes() == b"first"


def test_folders(home: Path) -> None:
    def make(name: str) -> None:
        def folder(place: Path) -> None:
            place.mkdir()
            (place / name).write_bytes(b"content")

        return folder

    allowed = AllowedPaths.of([str(home)])
    assert file_export.write(str(home / "made"), allowed, make("first"), None) == 7
    with pytest.raises(SqlmlError, match="already exists"):
        file_export.write(str(home / "made"), allowed, make("second"), None)
    file_export.write(
        str(home / "made"), allowed, make("third"), lambda existing: existing.inside("first").read(1) == b"c"
    )
    assert [path.name for path in (home / "made").iterdir()] == ["third"]
    assert sorted(path.name for path in home.iterdir()) == ["made", "model", "sub"]


def test_what_is_there_is_read_through_no_link(home: Path) -> None:
    (home.parent / "other" / "secret").write_bytes(b"earlier")
    (home / "sub" / "up").symlink_to(home.parent / "other")
    folder = os.open(home, os.O_RDONLY)
    try:
        assert Existing(folder, ("model",)).read(3) == b"mod"
        for names in (("sub",), ("sub", "up", "secret"), ("nothing",), ("model", "below"), ("x" * 300,)):
            assert Existing(folder, names).read(100) is None
    finally:
        os.close(folder)


# -- a folder on the way is exchanged for a link, over and over --------------------------------------------------------

# Exchanges two names in one step, with pauses of up to 0.4 ms so that each step of a writer meets both states.
_SWAPPER = """
import ctypes, os, random, sys, time
first, second, count = os.fsencode(sys.argv[1]), os.fsencode(sys.argv[2]), int(sys.argv[3])
libc = ctypes.CDLL(None, use_errno=True)
exchange = (lambda: libc.renameat2(-100, first, -100, second, 2)) if hasattr(libc, "renameat2") else (
    lambda: libc.renamex_np(first, second, 2))
for at in range(count):
    if exchange():
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    time.sleep(random.random() * 0.0004)
"""


def _file(path: Path) -> None:
    path.write_bytes(b"content")


def _folder(path: Path) -> None:
    (path / "inner").mkdir(parents=True)
    (path / "inner" / "file").write_bytes(b"content")


def _under_swaps(home: Path, swaps: int) -> Counter[str]:
    """Writes at two depths below a folder that is swapped with a link out of the allowed ones; counts the outcomes."""
    other = home.parent / "other"
    for folder in (home / "sub", other):
        (folder / "deep").mkdir()
    (home / "link").symlink_to(other)
    allowed = AllowedPaths.of([str(home)])
    outcomes: Counter[str] = Counter()
    makers: list[Callable[[Path], None]] = [_file, _folder]
    swapper = subprocess.Popen([sys.executable, "-c", _SWAPPER, str(home / "sub"), str(home / "link"), str(swaps)])
    try:
        attempt = 0
        while swapper.poll() is None:
            path = home / "sub" / ("deep" if attempt & 1 else "") / f"model {attempt % 16}"
            overwrite = (lambda existing: existing.read(7) == b"content") if attempt & 2 else None
            try:
                file_export.write(str(path), allowed, makers[attempt >> 2 & 1], overwrite)
                outcomes["written"] += 1
            except SqlmlError as error:
                outcomes[error.condition] += 1
            attempt += 1
    finally:
        swapper.kill()
    assert swapper.wait() == 0
    assert sorted(path.name for path in other.rglob("*")) == ["deep"], "something was written outside"
    assert list(home.rglob(".*")) == [], "a scratch file was left behind"
    inside = home / ("link" if (home / "sub").is_symlink() else "sub")
    assert all(list(path.rglob("file")) for path in inside.glob("**/model *") if path.is_dir()), "half a folder"
    return outcomes


def test_no_swap_of_folders_leads_outside(home: Path) -> None:
    outcomes = _under_swaps(home, 8_000)
    assert outcomes["written"] > 10 and outcomes["SQLML_PATH_NOT_ALLOWED"] > 100, outcomes
    assert set(outcomes) <= {
        "written",
        "SQLML_PATH_NOT_ALLOWED",
        "SQLML_PATH_NOT_FOUND",
        "SQLML_PATH_ALREADY_EXISTS",
    }, outcomes


@pytest.mark.nightly
def test_a_hundred_thousand_swaps_lead_nowhere(home: Path) -> None:
    outcomes = _under_swaps(home, 100_000)
    assert outcomes["written"] > 100 and outcomes["SQLML_PATH_NOT_ALLOWED"] > 1_000, outcomes
