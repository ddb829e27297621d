"""A cache of the versions that this driver has looked up, for scoring while the registry is unavailable.

The registry is asked each time. Only where it is unavailable, the cache answers: for a number without a time limit,
because a number keeps its meaning until somebody drops the model, and for a name or an alias within
`spark.sqlml.registry.staleness`. Whatever the registry no longer has leaves the cache, and so does a model that this
driver changes. Permissions are not in the registry and are always asked.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlml.errors import ModelNotFoundError, SqlmlError
from sqlml.parser.references import ModelReference
from sqlml.registry.waiting import attempts

_LOG = logging.getLogger(__name__)
# The capacity of the LRU cache.
_MOST = 1_000
# A reference without a usable cached answer is asked for once more, in case the registry has only been restarted.
_RETRY_SECONDS = 1.0
# After a failed request, cached records are served for this long before the registry is asked again.
_AWAY_SECONDS = 5.0

# MLflow's records of a model and of its version.
Records = tuple[Any, Any]


class Found(NamedTuple):
    """MLflow's records of a model and of its version.

    Attributes:
        last_known_at: when the registry gave them, if it does not answer now; None if it has just given them.
    """

    model: Any
    version: Any
    last_known_at: datetime | None = None


class _Known(NamedTuple):
    """A cached answer, and its moment by the monotonic clock, in seconds, and by the calendar."""

    records: Records
    since: float
    at: datetime

    def found(self) -> Found:
        return Found(*self.records, self.at)


class KnownVersions:
    """The last answer to each reference.

    Args:
        staleness: how old the answer to a name or an alias may be, in seconds.
    """

    def __init__(self, staleness: float) -> None:
        self._staleness = staleness
        self._lock = threading.Lock()
        self._known: dict[ModelReference, _Known] = {}
        self._away_until = float("-inf")
        # The number of changes by this driver: an answer from before one is not remembered after it.
        self._changes = 0

    def find(self, reference: ModelReference, ask: Callable[[], Records]) -> Found:
        """Returns MLflow's records of what a reference means, from memory where the registry is unavailable.

        Args:
            ask: asks the registry.

        Raises:
            SqlmlError: SQLML_REGISTRY_UNAVAILABLE; what else `ask` raises.
        """
        known = self._usable(reference)
        if known is not None and time.monotonic() < self._away_until:
            return known.found()
        changes = self._changes
        try:
            records = self._asked(ask, again=known is None)
        except ModelNotFoundError:
            self._forget(reference.name)
            raise
        except SqlmlError as error:
            if error.condition == "SQLML_MODEL_NOT_FOUND":  # the model is there, but not this version or alias
                self._forget(reference.name, reference)
            if error.condition != "SQLML_REGISTRY_UNAVAILABLE":
                raise
            self._away_until = time.monotonic() + _AWAY_SECONDS
            if known is None:
                raise
            _LOG.warning(
                "%s is version %s as last known at %s: %s",
                reference, known.records[1].version, known.at.isoformat(timespec="seconds"), error.message,
            )  # fmt: skip
            return known.found()
        self._away_until = float("-inf")
        answer = _Known(records, time.monotonic(), datetime.now(UTC))
        for known_as in (reference, ModelReference(reference.name, version=int(records[1].version))):
            self._remember(known_as, answer, changes)
        return Found(*records)

    @contextmanager
    def changed(self, name: str) -> Iterator[None]:
        """Forgets all references to a model once the block that changes it has ended, whether or not it succeeds."""
        try:
            yield
        finally:
            self._forget(name)

    def _forget(self, name: str, reference: ModelReference | None = None) -> None:
        """Forgets one reference to a model, or all."""
        with self._lock:
            self._changes += 1
            self._known = {
                known: found
                for known, found in self._known.items()
                if known.name != name or (reference is not None and known != reference)
            }

    def _remember(self, reference: ModelReference, answer: _Known, changes: int) -> None:
        with self._lock:
            if changes != self._changes:
                return
            self._known.pop(reference, None)
            self._known[reference] = answer
            if len(self._known) > _MOST:
                del self._known[next(iter(self._known))]

    @staticmethod
    def _asked(ask: Callable[[], Records], again: bool) -> Records:
        try:
            return ask()
        except SqlmlError as error:
            if error.condition != "SQLML_REGISTRY_UNAVAILABLE" or not again:
                raise
        for _ in attempts(_RETRY_SECONDS):
            pass  # `attempts` sleeps, and ends early when the statement is cancelled
        return ask()

    def _usable(self, reference: ModelReference) -> _Known | None:
        known = self._known.get(reference)
        if known is None or reference.version is not None:
            return known
        return known if time.monotonic() - known.since <= self._staleness else None
