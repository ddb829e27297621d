"""A model that nobody registered, given as bytes with the query that scores it.

The bytes are a stranger's: they go through the validation and the sandbox of IMPORT MODEL before anything scores with
them, once for the same bytes. Nothing is registered.
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

# What rules call a model that is no registered one; to score with it takes the right to import it.
NAME = "onnx"
# What a driver keeps at hand; executors have caches of their own.
_MOST_BYTES = 256 * 1024**2
_lock = Lock()
_known: OrderedDict[str, GivenModel] = OrderedDict()


@dataclass(frozen=True)
class GivenModel:
    """A graph in sqlml's own layout, after every check.

    Attributes:
        digest: SHA-256 of the graph. A registered version has the same where it is the same graph.
        version: the beginning of that, for EXPLAIN.
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


def given_model(value: bytes | str, limits: Limits, cancelled: Callable[[], bool] = lambda: False) -> GivenModel:
    """The model that bytes are, or a text in hexadecimal.

    Raises:
        SqlmlError: what `sqlml.importing.imported` raises; SQLML_MODEL_REFUSED for a text that is no hexadecimal.
    """
    from sqlml.importing import Request, imported

    content = value if isinstance(value, bytes) else from_hex(value, "The text that is given as a model")
    key = f"{hashlib.sha256(content).hexdigest()} {limits.to_json()}"
    with _lock:
        if key in _known:
            _known.move_to_end(key)
            return _known[key]
    # Outside the lock: it may take a minute.
    found = imported(content, Request(), limits=limits, cancelled=cancelled)
    made = GivenModel(found.digest, found.signature, found.onnx, found.preparation)
    with _lock:
        _known[key] = made
        while len(_known) > 1 and sum(len(model.content) for model in _known.values()) > _MOST_BYTES:
            _known.popitem(last=False)
    return made
