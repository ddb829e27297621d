"""An LRU cache of loaded models per process, bounded by estimated memory, so that batches share an ONNX Runtime
session."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock

from sqlml.scoring.scorer import Scorer
from sqlml.settings import CACHE_SIZE
from sqlml.signature import Signature

# The memory of an ONNX Runtime session, relative to the bytes of its graph: 1 to 5.5 times as much was measured, the
# most for trees, and 170 KB for the smallest graph.
_TIMES = 6
_LEAST = 256 * 1024


def memory(size: int) -> int:
    """Returns an upper bound for the memory of a loaded model, in bytes.

    Args:
        size: of its graph, in bytes.
    """
    return _LEAST + _TIMES * size


class _Cache:
    """An LRU cache: the least recently used models are evicted when the memory of all passes the limit."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = Lock()
        self._scorers: OrderedDict[tuple[str, Signature, Sequence[bool]], tuple[Scorer, int]] = OrderedDict()

    def get(
        self, digest: str, onnx: bytes | Callable[[], bytes], signature: Signature, used: tuple[bool, ...]
    ) -> Scorer:
        """Returns the cached model, or loads it and evicts others beyond the limit."""
        key = (digest, signature, used)
        # Loads under the lock, so that threads that need the same model wait for one load.
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
    """Returns the model with a digest, from this process's cache or newly loaded.

    Args:
        digest: SHA-256 of the bytes.
        onnx: the bytes, or a function that fetches them; called only when the model is not loaded.
        used: for each feature, whether columns are passed for it; empty for all.
    """
    return _CACHE.get(digest, onnx, signature, used)


def set_cache_limit(size: int) -> None:
    """Sets the most memory, in bytes, of the models in this process's cache; the newest is kept whatever its size."""
    _CACHE.limit = size


def forget() -> None:
    """Empties the cache, so that every model is loaded anew."""
    _CACHE.clear()
