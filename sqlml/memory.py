"""The memory of this process: how much it has, a limit on it, and what it can give back."""

from __future__ import annotations

import ctypes
import gc
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PAGES = Path("/proc/self/statm")
_lock = threading.Lock()
_limited = 0
_before = resource.RLIM_INFINITY


def limit_data(limit: int | None) -> None:
    """Limits the bytes of data of this process; None for no other limit than the system's."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if limit is not None and hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (hard if limit is None else limit, hard))


@contextmanager
def limited_data(limit: int) -> Iterator[None]:
    """A limit for the block. Where threads are in several at once, that of the first holds until the last is out."""
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


def data() -> int | None:
    """The bytes of data of this process, as `RLIMIT_DATA` counts them; None where the system does not tell."""
    if not _PAGES.exists():
        return None
    return int(_PAGES.read_text().split()[5]) * resource.getpagesize()


def own() -> int:
    """The resident bytes that are this process's own; where the system does not tell, the most that it ever had."""
    if not _PAGES.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    _, resident, shared, *_ = _PAGES.read_text().split()
    return (int(resident) - int(shared)) * resource.getpagesize()


def give_back() -> None:
    """Returns to the system what nothing uses any more."""
    import pyarrow as pa

    gc.collect()
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # the GNU C library's, which keeps what lies between two things in use
        trim(0)
