"""What a process and everything it started are doing, from Linux's /proc."""

from __future__ import annotations

import os
import time
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> set[int]:
    """A process and its descendants."""
    parents = {process: parent for process, (parent, _) in _table().items()}
    members = {pid}
    while True:
        more = {process for process, parent in parents.items() if parent in members} - members
        if not more:
            return members
        members |= more


def busy_seconds(pid: int, during: float) -> float:
    """Processor seconds that a process and its descendants use during the next seconds."""
    before = _table()
    time.sleep(during)
    after = _table()
    members = family(pid)
    ticks = sum(after[one][1] - before.get(one, (0, 0))[1] for one in members if one in after)
    return ticks / _TICKS


def _table() -> dict[int, tuple[int, int]]:
    """Every process: its parent and its processor time in ticks."""
    table = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # It has ended since.
        # The name of the program, in parentheses, may have blanks of its own.
        fields = stat.rpartition(")")[2].split()
        table[int(entry.name)] = (int(fields[1]), int(fields[11]) + int(fields[12]))
    return table
