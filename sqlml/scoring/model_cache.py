"""The models that this process keeps loaded, so that a batch of rows does not wait for one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock

from sqlml.scoring.scorer import Scorer
from sqlml.settings import CACHE_SIZE
from sqlml.signature import Signature

# What a session of ONNX Runtime takes of the bytes of its graph: 1 to 5.5 times as much was measured, the most for
# trees, and 170 KB for the smallest.
_TIMES = 6
_LEAST = 256 * 1024


def memory(size: int) -> int:
    """What a loaded model takes at most, in bytes.

    Args:
        size: of its graph, in bytes.
    """
    return _LEAST + _TIMES * size


class _Cache:
    """The models a process has loaded: the least recently used go first when their memory passes the limit."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = Lock()
        self._scorers: OrderedDict[tuple[str, Signature, Sequence[bool]], tuple[Scorer, int]] = OrderedDict()

    def get(
        self, digest: str, onnx: bytes | Callable[[], bytes], signature: Signature, used: tuple[bool, ...]
    ) -> Scorer:
        key = (digest, signature, used)
        # Loading under the lock: two threads that need the same model wait for one load.
        with self._lock:
            if key not in self._scorers:
                content = onnx() if callable(onnx) else onnx
                self._scorers[key] = Scorer(content, signature, used), memory(len(content))
            self._scorers.move_to_end(key)
            while len(self._scorers) > 1 and sum(size for _, size in self._scorers.values()) > self.limit:
                self._scorers.popitem(last=False)
            return self._scorers[key][0]

    def clear(self) -> None:
        with self._lock:
            self._scorers.clear()


_CACHE = _Cache(limit=CACHE_SIZE.value(""))


def scorer(digest: str, onnx: bytes | Callable[[], bytes], signature: Signature, used: tuple[bool, ...] = ()) -> Scorer:
    """The loaded model of a digest, from this process's cache or loaded now.

    Args:
        digest: SHA-256 of the bytes.
        onnx: the bytes, or a function that fetches them; called only when the model is not loaded.
        used: which of the features columns are given for; empty for all.
    """
    return _CACHE.get(digest, onnx, signature, used)


def set_cache_limit(size: int) -> None:
    """The most memory, in bytes, of models that this process keeps loaded; the newest is kept whatever its size."""
    _CACHE.limit = size


def forget() -> None:
    """Loads every model anew from here on."""
    _CACHE.clear()
