"""Resource limits of this process: its bytes of data, and its priority for Linux's out-of-memory killer."""

from __future__ import annotations

import resource
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_lock = threading.Lock()
_limited = 0
_before = resource.RLIM_INFINITY


def limit_data(limit: int | None) -> None:
    """Sets RLIMIT_DATA of this process, in bytes; None for the system's hard limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if limit is not None and hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (hard if limit is None else limit, hard))


@contextmanager
def limited_data(limit: int) -> Iterator[None]:
    """Limits the data of this process within the block.

    Where the blocks of several threads overlap, the limit of the first holds until the last ends.
    """
    global _limited, _before
    with _lock:
        _limited += 1
        if _limited == 1:
            _before, hard = resource.getrlimit(resource.RLIMIT_DATA)
            known = [one for one in (limit, _before, hard) if one != resource.RLIM_INFINITY]
            resource.setrlimit(resource.RLIMIT_DATA, (min(known), hard))
    try:
        yield
    finally:
        with _lock:
            _limited -= 1
            if _limited == 0:
                resource.setrlimit(resource.RLIMIT_DATA, (_before, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def be_killed_first() -> None:
    """Makes Linux's out-of-memory killer prefer this process to the driver."""
    try:
        Path("/proc/self/oom_score_adj").write_text("1000")
    except OSError as error:
        # Not on Linux, or in a container that forbids it: then only this preference is lost.
        print(f"oom_score_adj is not set: {error}", file=sys.stderr)
