"""Folders that are gone when their block ends, and, after a process was killed, when the next one starts."""

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
    """A new folder for this process's eyes only.

    Args:
        purpose: a word in its name, for who looks at what fills a disk.
    """
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{purpose}~{process.mark()}~") as name:
        yield Path(name)


def remove_orphans() -> int:
    """Removes the folders of processes that are gone; returns how many. They may hold the rows of a training."""
    removed = 0
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        marked = path.name.removeprefix(_PREFIX).partition("~")[2].rpartition("~")[0]
        # Never through a link: in a folder that all may write to, somebody else may have put one there.
        if process.is_gone(marked) and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
            removed += not path.exists()
    return removed
