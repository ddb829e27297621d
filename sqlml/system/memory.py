"""The memory of this process: how much it has, and what it can give back."""

from __future__ import annotations

import ctypes
import gc
import resource
from pathlib import Path

_PAGES = Path("/proc/self/statm")


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
