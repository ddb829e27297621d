"""Whose something is: the process that made it, and whether that lives. What a killed driver leaves is found by it."""

from __future__ import annotations

import os
import re
import socket
from functools import cache
from pathlib import Path

_MARK = re.compile(r"(?P<host>.+)~(?P<pid>[0-9]+)~(?P<started>[0-9a-z-]*)\Z")


@cache
def _host() -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())


def mark() -> str:
    """This process, on whatever machine, for ever: no other is called the same. Fit for a tag and for a file's name."""
    return f"{_host()}~{os.getpid()}~{_started(os.getpid()) or ''}"


def is_gone(marked: str) -> bool:
    """Whether the process of a mark has ended; False where nobody can tell from here."""
    found = _MARK.match(marked)
    if not found or found["host"] != _host():
        return False
    return _started(int(found["pid"])) != found["started"]


def _started(pid: int) -> str | None:
    """When a process of this machine began, in words of Linux; "" where there is no /proc; None for no such process."""
    if not Path("/proc/self/stat").exists():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
        except PermissionError:
            pass  # it lives, and is somebody else's
        return ""
    try:
        # The name in brackets may hold anything, blanks and brackets too.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, ticks_after_boot = fields[0], fields[19]
    return None if state in "ZX" else f"{_boot()}-{ticks_after_boot}"


@cache
def _boot() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id")
    return boot.read_text(encoding="utf-8").strip()[:8] if boot.exists() else ""
