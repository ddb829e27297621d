"""What a killed process leaves: folders and runs, which the next one clears away, and only those."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from sqlml.system import process, temporary

_LEAVES = """
import sys, time
from sqlml.system import process, temporary
with temporary.folder("train") as folder:
    (folder / "rows.arrow").write_bytes(b"rows")
    print(process.mark(), folder, flush=True)
    time.sleep(600)
"""


def test_a_process_knows_whether_another_lives() -> None:
    child = subprocess.Popen([sys.executable, "-c", _LEAVES], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        marked, folder = child.stdout.readline().split()
        assert not process.is_gone(marked) and not process.is_gone(process.mark())
        temporary.remove_orphans()
        assert Path(folder, "rows.arrow").exists()
    finally:
        child.kill()
    # Dead and not yet buried.
    deadline = time.monotonic() + 10
    while not process.is_gone(marked) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.is_gone(marked)
    child.wait()
    assert process.is_gone(marked)
    assert temporary.remove_orphans() >= 1
    assert not Path(folder).exists()


def test_what_cannot_be_known_is_left_alone() -> None:
    for marked in ("", "elsewhere~1~x", "no mark", f"{process.mark()}~", "~1~"):
        assert not process.is_gone(marked), marked


def test_a_number_that_another_process_has_now_is_not_the_same_process() -> None:
    host, pid, started = process.mark().split("~")
    assert process.is_gone(f"{host}~{pid}~{started}0")


def test_a_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious").write_text("!")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    host, pid, started = process.mark().split("~")
    (tmp_path / "temp" / f"sqlml~train~{host}~{pid}~{started}0~abc").symlink_to(tmp_path / "mine")
    assert temporary.remove_orphans() == 0
    assert (tmp_path / "mine" / "precious").exists()
