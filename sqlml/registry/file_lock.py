"""An exclusive file lock (flock) with a time limit, between all processes and threads of this machine.

The holder writes its process, the time and the seconds it may take into the file, for those that wait.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlml.errors import SqlmlError
from sqlml.registry.waiting import attempts

SECONDS = 10.0
# Owner only: whoever can open the file can hold the lock.
_MODE = 0o600
_MOST_BYTES = 200
_KERNELS_LIST = Path("/proc/locks")


@contextmanager
def locked(path: Path, may_take: float = SECONDS) -> Iterator[None]:
    """Holds the lock while the block runs.

    On a read-only file system no lock file can be created, and nothing can change: there the block runs without a lock.

    Args:
        may_take: the seconds after which others give up waiting for this block. Their count restarts whenever
            another holder gets the lock.

    Raises:
        SqlmlError: SQLML_REGISTRY_UNAVAILABLE where a holder takes too long (names its process); SQLML_CANCELLED.
        OSError: the lock file cannot be opened.
    """
    opened = _opened(path)
    if opened is None:
        yield
        return
    with open(opened, "r+b", buffering=0) as file:
        _acquire(file.fileno(), path)
        try:
            _write(file.fileno(), f"{os.getpid()} {datetime.now(UTC).isoformat()} {may_take:g}\n")
            yield
        finally:
            _write(file.fileno(), "")
            fcntl.flock(file, fcntl.LOCK_UN)


def holders(path: Path, kind: str) -> list[int]:
    """The processes that hold a lock on a file, from Linux's /proc/locks; empty where that does not exist.

    Args:
        kind: `FLOCK`, or `POSIX` for SQLite's locks.
    """
    try:
        found = path.stat()
        lines = _KERNELS_LIST.read_text(encoding="ascii").splitlines()
    except OSError:
        return []
    device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    # `12: FLOCK ADVISORY WRITE 4242 fe:00:131 0 EOF`; in a waiter's line an arrow precedes the kind.
    rows = [line.split() for line in lines]
    return sorted({int(row[4]) for row in rows if len(row) > 5 and row[1] == kind and row[5] == device})


def _opened(path: Path) -> int | None:
    """A descriptor of the lock file; None where neither it nor the database can be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # O_NOFOLLOW: a symbolic link here could point at a file that must not be written.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE)
    except OSError as error:
        if error.errno == errno.EROFS or (error.errno == errno.EACCES and not _is_writable(path)):
            return None
        raise
    found = os.fstat(descriptor)
    if found.st_uid == os.geteuid() and found.st_mode & 0o777 != _MODE:
        os.fchmod(descriptor, _MODE)
    return descriptor


def _is_writable(lock: Path) -> bool:
    """Whether the database beside the lock is writable: then the lock is needed, and failing to open it an error."""
    return os.access(lock.with_name(lock.name.removesuffix(".lock")), os.W_OK)


def _acquire(descriptor: int, path: Path) -> None:
    """Polls for the lock, and starts a new time limit each time the record in the file shows another holder."""
    record, began = "", time.monotonic()
    while True:
        for _ in attempts(_may_take(record)):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                now = os.pread(descriptor, _MOST_BYTES, 0).decode("ascii", errors="replace")
            if now != record:
                break
        else:
            raise _held_too_long(path, record, time.monotonic() - began)
        record = now


def _may_take(record: str) -> float:
    """The seconds that the holder's record announces; the default where it has written none."""
    try:
        return float(record.split()[2])
    except (IndexError, ValueError):
        return SECONDS


def _held_too_long(path: Path, record: str, waited: float) -> SqlmlError:
    found = holders(path, "FLOCK")
    holder, since = (*record.split(), "", "")[:2]
    # The kernel's list is authoritative; the record may be left from a killed process.
    process = str(found[0]) if found else holder
    who = "Another process" if process in ("", "0") else f"Process {process}"
    if process == str(os.getpid()):
        who += " (this one, for another statement)"
    moment = f" since {since[:19].replace('T', ' ')} UTC" if process and process == holder else ""
    return SqlmlError(
        "SQLML_REGISTRY_UNAVAILABLE",
        f"{who} has held the lock of the model registry{moment}, and this statement has waited for it for"
        f" {waited:.0f} s: {path}.",
        hint="A change of a model holds the lock only for a moment. End the process that keeps it, and try again.",
    )


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode("ascii"), 0)
