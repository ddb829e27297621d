"""Marks that identify a process across machines, by which files that a killed driver left are found.

A mark is the machine, the process id and, because ids are reused, the tick at which the process started. The machine is
a boot of a kernel and a PID namespace, in which ids are unique. Host names are not: containers may share one.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
from functools import cache
from pathlib import Path

_MARK = re.compile(r"(?P<machine>.+)~(?P<pid>[0-9]+)~(?P<started>[0-9a-z-]*)\Z")
_BOOT, _NAMESPACE = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")


@cache
def _machine() -> str:
    try:
        namespace = re.sub(r"[^0-9]", "", os.readlink(_NAMESPACE))
        return f"{_BOOT.read_text(encoding='utf-8').strip()}-{namespace}"
    except OSError:  # not Linux
        return re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())


def mark() -> str:
    """Returns a mark of this process, unique over machines and time; usable in tags and file names."""
    return f"{_machine()}~{os.getpid()}~{_started(os.getpid()) or ''}"


def is_gone(marked: str) -> bool:
    """Returns whether the process of a mark has ended; False where this machine cannot tell."""
    found = _MARK.match(marked)
    if not found or found["machine"] != _machine():
        return False
    return _started(int(found["pid"])) != found["started"]


def _started(pid: int) -> str | None:
    """Returns a mark of the process's start time from /proc; "" where there is no /proc; None for no such process."""
    if not Path("/proc/self/stat").exists():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
        except PermissionError:
            pass  # it is alive, and another user's
        return ""
    try:
        # The second field, the program's name in parentheses, may itself contain blanks and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, ticks_after_boot = fields[0], fields[19]
    return None if state in "ZX" else ticks_after_boot


def user() -> str:
    """Returns the user that runs this process; "" where the system has no name for them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
