"""An unregistered model, given as bytes in the query that scores it; checked results are kept in an LRU cache.

The bytes go through the validation and the sandbox of IMPORT MODEL before anything scores with them. Nothing is
registered.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from sqlml.importing.limits import Limits
from sqlml.importing.statement_source import from_hex
from sqlml.jobs.preparation import Preparation
from sqlml.signature import Feature, Signature

# The name that access rules use for an unregistered model; scoring with it needs the right to import it.
NAME = "onnx"
# The capacity of the driver's LRU cache in bytes of graphs; executors have caches of their own.
_MOST_BYTES = 256 * 1024**2
_lock = Lock()
_known: OrderedDict[str, UnregisteredModel] = OrderedDict()


@dataclass(frozen=True)
class UnregisteredModel:
    """A graph in sqlml's own layout, after every check.

    Attributes:
        digest: SHA-256 of the graph, equal to a registered version's where the graph is the same.
        version: the first 12 digits of the digest, for EXPLAIN.
    """

    digest: str
    signature: Signature
    content: bytes = field(repr=False)
    preparation: Preparation
    name: str = NAME

    transform = None

    @property
    def version(self) -> str:
        return self.digest[:12]

    @property
    def inputs(self) -> tuple[Feature, ...]:
        return self.signature.features

    def onnx(self) -> bytes:
        return self.content


def load_unregistered(
    value: bytes | str, limits: Limits, cancelled: Callable[[], bool] = lambda: False
) -> UnregisteredModel:
    """Imports the model in `value`, bytes or hexadecimal text, or returns it from the cache.

    Raises:
        SqlmlError: the errors of `sqlml.importing.imported`; SQLML_MODEL_REFUSED for a text that is not hexadecimal.
    """
    from sqlml.importing import Request, imported

    content = value if isinstance(value, bytes) else from_hex(value, "The string that is given as the model")
    key = f"{hashlib.sha256(content).hexdigest()} {limits.to_json()}"
    with _lock:
        if key in _known:
            _known.move_to_end(key)
            return _known[key]
    # Outside the lock, because the sandbox may take a minute.
    found = imported(content, Request(), limits=limits, cancelled=cancelled)
    made = UnregisteredModel(found.digest, found.signature, found.onnx, found.preparation)
    with _lock:
        _known[key] = made
        while len(_known) > 1 and sum(len(model.content) for model in _known.values()) > _MOST_BYTES:
            _known.popitem(last=False)
    return made
