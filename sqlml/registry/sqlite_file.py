"""A probe of an SQLite registry: whether it can be read or written, within seconds. MLflow retries for up to 100 s."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlml.registry.file_lock import holders
from sqlml.registry.waiting import attempts

# A statement must answer within 10 s.
SECONDS = 6.0
# SQLite's busy timeout of one attempt, which a cancellation cannot interrupt.
_ATTEMPT = 0.3


def check_path(path: Path) -> None:
    """Checks that the database is a file or can be created.

    Raises:
        OSError: it cannot; the message says why.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, but the registry must be a file, such as {path / 'mlflow.db'}")
    if not path.exists():
        parent = next(folder for folder in path.parents if folder.exists())
        if not (parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)):
            raise PermissionError(f"{path} does not exist, and {parent} is not writable")


def check(path: Path, *, write: bool = False) -> None:
    """Retries until the database can be used; returns at once where it does not exist yet.

    Args:
        write: whether it is to be written.

    Raises:
        OSError: it cannot be used in time; the message says why.
        SqlmlError: SQLML_CANCELLED.
    """
    if not path.exists():
        return
    problem = ""
    for _ in attempts(SECONDS):
        try:
            _try(path, write)
            return
        except sqlite3.OperationalError as error:
            problem = str(error)
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise OSError(f"{path}: {problem}") from error
        except sqlite3.DatabaseError as error:
            raise OSError(f"{path}: {error}") from error
    found = holders(path, "POSIX")
    by = f" by process {' and '.join(map(str, found))}" if found else " by another process"
    raise OSError(f"{path}: {problem}{by}, for {SECONDS:g} s")


def _try(path: Path, write: bool) -> None:
    """Reads a row, or takes and releases the write lock."""
    mode = "rw" if write else "ro"
    database = sqlite3.connect(f"file:{quote(str(path))}?mode={mode}", uri=True, timeout=_ATTEMPT, isolation_level=None)
    with closing(database):
        if write:
            database.execute("BEGIN IMMEDIATE")
            database.execute("ROLLBACK")
        else:
            database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
