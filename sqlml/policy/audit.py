"""The audit log: a file of JSON lines, one at the start of a changing statement and one at its end.

A start without an end is a statement during which the driver died. Each line is one write to a file opened for
appending, so that several processes can share it. A file that has grown large is renamed, and a new one begun.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.settings import project_folder

_LOG = logging.getLogger("sqlml.audit")
_MOST_TEXT = 20_000
_FILE = "sqlml-audit.jsonl"
# Values of spark.sqlml.audit besides a path: Python's logger `sqlml.audit`, or no record at all.
LOG, OFF = "log", "off"
# A file is rotated at this size in bytes, and this many older ones are kept.
_MOST_BYTES, _MOST_FILES = 100 * 1024**2, 10


def audit_path(setting: str, registry: str) -> Path | None:
    """The path of an application's audit log: the setting's, else beside a registry that is a local file, else in the
    project's folder, `.sqlml` in the working directory or SQLML_HOME. None where the setting says `log` or `off`.

    Args:
        setting: the value of spark.sqlml.audit, or "".
        registry: the registry's URI.
    """
    if setting.lower() in (LOG, OFF):
        return None
    if setting:
        return Path(setting).absolute()
    if registry.startswith("sqlite:///"):
        return Path(registry.removeprefix("sqlite:///")).absolute().with_name(_FILE)
    return project_folder() / _FILE


class AuditLog:
    """The audit log of one Spark application.

    Args:
        path: the file; None to use Python's logger `sqlml.audit` instead, or nothing where it is `off`.
        application: the Spark application's id.
        redacted: removes secrets from a text.
    """

    def __init__(
        self, path: Path | None, application: str, redacted: Callable[[str], str] = str, *, off: bool = False
    ) -> None:
        self._path, self._off = path, off
        self._about = {"application": application, "host": socket.gethostname(), "pid": os.getpid()}
        self._redacted = redacted
        self._lock = threading.Lock()

    @contextmanager
    def recording(self, user: str, action: str, models: tuple[str, ...], statement: str) -> Iterator[None]:
        """Records the block's start and its outcome: succeeded, denied, cancelled or failed, with the error condition.

        Raises:
            SqlmlError: SQLML_AUDIT_UNAVAILABLE before the block runs, where the log cannot be written: an unrecorded
                change must not happen.
        """
        started = time.monotonic()
        entry = {
            "id": secrets.token_hex(8),
            "user": user,
            "action": action,
            "models": list(models),
            "statement": self._shown(statement),
        }
        self._write({**entry, "outcome": "started"})
        outcome: dict[str, Any] = {"outcome": "succeeded"}
        try:
            yield
        except BaseException as error:
            outcome = _outcome(error)
            raise
        finally:
            ended = {"id": entry["id"], "user": user, "action": action, "models": list(models)}
            try:
                self._write({**ended, **outcome, "seconds": round(time.monotonic() - started, 3)})
            except SqlmlError as error:
                # The change has happened, and its start is on record.
                _LOG.error("The end of statement %s is not on record: %s", entry["id"], error)

    def _shown(self, statement: str) -> str:
        text = self._redacted(statement)
        if len(text) <= _MOST_TEXT:
            return text
        # Keeps both ends, so that a long comment cannot hide what follows it; the digest is of the whole text.
        digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
        half = _MOST_TEXT // 2
        return f"{text[:half]}… {len(text) - 2 * half} characters, SHA-256 of the whole {digest} …{text[-half:]}"

    def _write(self, entry: dict[str, Any]) -> None:
        """Appends one line to the file in a single write, or logs it where there is no file."""
        if self._off:
            return
        # ASCII only: some readers break lines at U+2028, and terminals interpret control characters.
        line = json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **self._about, **entry})
        if self._path is None:
            _LOG.info("%s", line)
            return
        try:
            with self._lock:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                _rotate(self._path)
                # Readable only by the owner: statements may hold secrets.
                file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                try:
                    _write_all(file, f"{line}\n".encode())
                finally:
                    os.close(file)
        except OSError as error:
            raise SqlmlError(
                "SQLML_AUDIT_UNAVAILABLE",
                f"The audit log {self._path} cannot be written: {error.strerror}.",
                hint="Nothing was changed. The administrator can name another file in spark.sqlml.audit.",
            ) from error


def _rotate(path: Path) -> None:
    """Renames a large file; another process that has it open goes on writing to it under its new name."""
    if not path.exists() or path.stat().st_size < _MOST_BYTES:
        return
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    try:
        path.rename(path.with_name(f"{path.stem}-{stamp}{path.suffix}"))
    except FileNotFoundError:
        return  # another process has just renamed it
    for old in sorted(path.parent.glob(f"{path.stem}-*{path.suffix}"))[:-_MOST_FILES]:
        old.unlink(missing_ok=True)


def _write_all(file: int, content: bytes) -> None:
    written = os.write(file, content)
    if written < len(content):
        raise OSError(28, "no space is left")


def _outcome(error: BaseException) -> dict[str, Any]:
    if not isinstance(error, SqlmlError):
        return {"outcome": "failed", "error": type(error).__name__}
    outcome = {
        "SQLML_PERMISSION_DENIED": "denied",
        "SQLML_READ_ONLY": "denied",
        "SQLML_CANCELLED": "cancelled",
    }.get(error.condition, "failed")
    return {"outcome": outcome, "error": error.condition}
