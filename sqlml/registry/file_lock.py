"""An exclusive lock on a file of this machine (flock), with a time limit, for one process and thread at a time."""

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
# Nobody else can open the file, so nobody else can hold the lock.
_MODE = 0o600
_MOST_BYTES = 200
_KERNELS_LIST = Path("/proc/locks")


@contextmanager
def locked(path: Path, may_take: float = SECONDS) -> Iterator[None]:
    """Holds the lock while the block runs.

    A file system that is mounted read-only has no lock file, and nothing on it can change: there the block runs
    without the lock.

    Args:
        may_take: the seconds after which others give up waiting for this block. They begin anew where the lock passes
            on to another holder.

    Raises:
        SqlmlError: SQLML_REGISTRY_UNAVAILABLE where another block takes too long, with its process; SQLML_CANCELLED.
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
    """The processes that hold a lock on a file, as Linux lists them; none where it does not tell.

    Args:
        kind: `FLOCK`, or `POSIX` for the locks of SQLite.
    """
    try:
        found = path.stat()
        lines = _KERNELS_LIST.read_text(encoding="ascii").splitlines()
    except OSError:
        return []
    device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    # `12: FLOCK ADVISORY WRITE 4242 fe:00:131 0 EOF`; those that wait have an arrow in front of the kind.
    rows = [line.split() for line in lines]
    return sorted({int(row[4]) for row in rows if len(row) > 5 and row[1] == kind and row[5] == device})


def _opened(path: Path) -> int | None:
    """A descriptor of the lock file; None where nothing can be written here at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A symbolic link in its place could lead to a file that is not ours to write.
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
    """Whether the database beside the lock could be changed: then the lock is needed, and its absence an error."""
    return os.access(lock.with_name(lock.name.removesuffix(".lock")), os.W_OK)


def _acquire(descriptor: int, path: Path) -> None:
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
    """The seconds that a holder has asked for; those of a change where it has written nothing."""
    try:
        return float(record.split()[2])
    except (IndexError, ValueError):
        return SECONDS


def _held_too_long(path: Path, record: str, waited: float) -> SqlmlError:
    found = holders(path, "FLOCK")
    said, since = (*record.split(), "", "")[:2]
    # What the kernel says is true; what the file says may be left from a process that was killed.
    process = str(found[0]) if found else said
    who = "Another process" if process in ("", "0") else f"Process {process}"
    if process == str(os.getpid()):
        who += " (this one, for another statement)"
    moment = f" since {since[:19].replace('T', ' ')} UTC" if process and process == said else ""
    return SqlmlError(
        "SQLML_REGISTRY_UNAVAILABLE",
        f"{who} has held the lock of the model registry{moment}, and this statement has waited {waited:.0f} s for it:"
        f" {path}.",
        hint="A change of models holds it for a moment; end a process that keeps it, and try again.",
    )


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode("ascii"), 0)
