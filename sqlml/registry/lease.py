"""Leases on open MLflow runs: how a driver sees that the driver of another run, on any host, is gone.

The driver of a run changes the run's lease, a tag, every 30 seconds. A run whose lease stays the same for three
renewals is ended by whoever notices. Only an observer's own monotonic clock measures that time, so the clocks of hosts
may differ. A driver that has only lost its connection can still commit: the commit does not depend on the run's status.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlml.errors import SqlmlError
from sqlml.registry.layout import LEASE
from sqlml.registry.store import Store

_LOG = logging.getLogger(__name__)
RENEWAL_SECONDS = 30.0
# Renewals that a live driver may miss.
_MISSED = 3


def new() -> str:
    """Returns a lease's next value."""
    return secrets.token_hex(8)


@contextmanager
def renewed(store: Store, run_id: str) -> Iterator[None]:
    """Renews the lease of a run, on a thread of its own, until the block ends."""
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(RENEWAL_SECONDS):
            try:
                with store.writing() as client:
                    client.set_tag(run_id, LEASE, new())
            except SqlmlError as error:
                _LOG.info("The lease of run %s was not renewed: %s", run_id, error.message)

    thread = threading.Thread(target=renew, name=f"sqlml-lease-{run_id[:8]}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()


class Watch:
    """What one observer has seen of leases."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, float]] = {}

    def expired(self, leases: Mapping[str, str]) -> set[str]:
        """Returns the runs whose lease has not changed for three renewals.

        Args:
            leases: the leases of all open runs by run id, as they are now.
        """
        now = time.monotonic()
        self._seen = {
            run_id: self._seen[run_id] if self._seen.get(run_id, ("", 0.0))[0] == lease else (lease, now)
            for run_id, lease in leases.items()
        }
        return {run_id for run_id, (_, since) in self._seen.items() if now - since > _MISSED * RENEWAL_SECONDS}
