"""Temporary folders that are removed when their block ends; those of a killed process, by the next driver."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlml.system import process

_PREFIX = "sqlml~"


@contextmanager
def folder(purpose: str) -> Iterator[Path]:
    """Creates a folder that only this user can read, for the block.

    Args:
        purpose: a word in its name, for administrators who look for what fills a disk.
    """
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{purpose}~{process.mark()}~") as name:
        yield Path(name)


def remove_orphans() -> int:
    """Removes the folders of processes that are gone, which may hold training rows; returns how many."""
    removed = 0
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        marked = path.name.removeprefix(_PREFIX).partition("~")[2].rpartition("~")[0]
        # Links are skipped: in a folder that every user may write to, another user may have put one there.
        if process.is_gone(marked) and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
            removed += not path.exists()
    return removed
