"""Measures the memory of this process, and returns unused memory to the system."""

from __future__ import annotations

import ctypes
import gc
import resource
from pathlib import Path

_STATM = Path("/proc/self/statm")


def data() -> int | None:
    """Returns the bytes of data of this process, as `RLIMIT_DATA` counts them; None where the system does not tell."""
    if not _STATM.exists():
        return None
    return int(_STATM.read_text().split()[5]) * resource.getpagesize()


def own() -> int:
    """Returns the private resident memory in bytes (RSS minus shared pages); without /proc, the peak RSS."""
    if not _STATM.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    _, resident, shared, *_ = _STATM.read_text().split()
    return (int(resident) - int(shared)) * resource.getpagesize()


def give_back() -> None:
    """Returns unused memory to the system: garbage, Arrow's pool, and free pages of malloc."""
    import pyarrow as pa

    gc.collect()
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # glibc's malloc keeps free pages between used ones until it is asked
        trim(0)
