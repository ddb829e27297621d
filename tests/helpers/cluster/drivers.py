"""Drivers: PySpark applications on hosts of their own, to which a test says SQL while it breaks something else."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from helpers.cluster.hosts import Host, Hosts
from helpers.cluster.services import PASSWORD, USER, Registry, tail
from helpers.cluster.spark_daemons import Master
from helpers.doors.connect import ClientProcess
from helpers.doors.result import Failure, Result
from helpers.doors.settings import session_settings
from helpers.folders import ROOT

_LIMIT = 900.0
# A driver takes one core of each worker, so that two drivers have room.
_SIZE = {"spark.executor.cores": "1", "spark.cores.max": "2", "spark.executor.memory": "600m"}


def driver_host(hosts: Hosts, name: str = "driver", hostname: str | None = None) -> Host:
    """A host with the checkout and its environment, as they are on the machine."""
    return hosts.add(name, {ROOT: ROOT, Path(sys.prefix): Path(sys.prefix)}, hostname=hostname)


class Driver:
    """An application on a driver's host, and what it said.

    Args:
        name: of its log; several applications may run on one host.
        python: of its executors.
        settings: more of Spark's, or others.
        uri: of the registry, where it is not the direct one.
    """

    def __init__(
        self,
        host: Host,
        master: Master,
        registry: Registry,
        python: Path,
        *,
        name: str = "application",
        settings: Mapping[str, str] | None = None,
        uri: str | None = None,
    ) -> None:
        folder = host.disk / name
        inside = Path("/host") / name
        all_settings = {
            **session_settings(inside, inside, master.address),
            "spark.driver.bindAddress": host.address,
            "spark.driver.host": host.address,
            "spark.pyspark.python": str(python),
            # The log is read.
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.warehouse.dir": f"/shared/warehouse-{host.name}-{name}",
            "spark.sqlml.registry.uri": uri or registry.uri,
            **_SIZE,
            **(settings or {}),
        }
        secrets = {"MLFLOW_TRACKING_USERNAME": USER, "MLFLOW_TRACKING_PASSWORD": PASSWORD}
        on = host.command(["env", f"--chdir={inside}"], PYTHONUNBUFFERED="1", **secrets)
        self._log = folder / "client.log"
        self.door = ClientProcess("pyspark", all_settings, folder, limit=_LIMIT, on=on)

    def run(self, *statements: str) -> list[Result]:
        """What statements of one session answer."""
        return self.door.run(statements)

    def rows(self, *statements: str) -> tuple[tuple[str, ...], ...]:
        """The rows of the last of several statements, none of which may fail."""
        return rows(self.run(*statements))

    def send(self, *statements: str) -> None:
        self.door.send(statements)

    def answers(self) -> list[Result]:
        return self.door.answers()

    def has_answered(self) -> bool:
        """Whether `answers` would not wait."""
        return self.door.has_answered()

    def said(self) -> int:
        """How much it has said so far, for `wait_for_line`."""
        return self._log.stat().st_size

    def has_said(self, text: str, since: int) -> bool:
        return text in self._log.read_bytes()[since:].decode(errors="replace")

    def wait_for_line(self, text: str, since: int = 0, limit: float = 120.0) -> None:
        """Waits until its log has a text, behind what it said before, while what was sent is not answered."""
        deadline = time.monotonic() + limit
        while True:
            over = self.has_answered() or time.monotonic() > deadline
            if self.has_said(text, since):
                return
            assert not over, f"{self._log} does not say {text!r}; it ends with:\n{tail(self._log)}"
            time.sleep(0.05)

    def close(self) -> None:
        self.door.close()


def rows(results: Sequence[Result]) -> tuple[tuple[str, ...], ...]:
    for result in results:
        assert result.failure is None, result.raw
    return results[-1].rows


def failure(results: Sequence[Result]) -> Failure:
    found = results[-1].failure
    assert found is not None, results[-1].rows
    return found
