"""An LRU cache of the graphs that this driver has read, for scoring while the registry is unavailable.

A query that needs a graph in another form than earlier ones, for the other engine or for other types of its arguments,
reads it again. The registry is asked each time, so that a file that was changed is noticed; only where it is
unavailable, the cache answers.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from sqlml.errors import SqlmlError

# The capacity of the cache, in bytes of graphs; one larger graph is kept alone.
_MOST_BYTES = 256 * 1024**2


class KnownGraphs:
    """Graphs by their SHA-256."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._graphs: OrderedDict[str, bytes] = OrderedDict()

    def read(self, digest: str, ask: Callable[[], bytes]) -> bytes:
        """Returns a graph, from memory where the registry is unavailable.

        Args:
            ask: reads it from the registry, and checks it.

        Raises:
            SqlmlError: SQLML_REGISTRY_UNAVAILABLE; what else `ask` raises.
        """
        try:
            content = ask()
        except SqlmlError as error:
            with self._lock:
                known = self._graphs.get(digest)
            if error.condition != "SQLML_REGISTRY_UNAVAILABLE" or known is None:
                raise
            return known
        with self._lock:
            self._graphs[digest] = content
            self._graphs.move_to_end(digest)
            while len(self._graphs) > 1 and sum(map(len, self._graphs.values())) > _MOST_BYTES:
                self._graphs.popitem(last=False)
        return content
