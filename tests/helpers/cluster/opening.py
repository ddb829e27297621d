"""A whole cluster: three kinds of hosts, started side by side, because each takes seconds."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from helpers.cluster.drivers import Driver, driver_host
from helpers.cluster.hosts import Host, Hosts
from helpers.cluster.services import Registry, registry_python
from helpers.cluster.spark_daemons import Master, Worker, executor_python


class Cluster:
    """Attributes:
    python: of the executors, if a driver names no other.
    """

    def __init__(
        self, hosts: Hosts, registry: Registry, master: Master, workers: list[Worker], python: Path, stack: ExitStack
    ) -> None:
        self.hosts, self.registry, self.master, self.workers, self.python = hosts, registry, master, workers, python
        self.driver_host = driver_host(hosts)
        self._stack = stack
        self._count = 0

    def driver(
        self,
        settings: Mapping[str, str] | None = None,
        *,
        host: Host | None = None,
        python: Path | None = None,
        uri: str | None = None,
    ) -> Driver:
        """Starts another application; the cluster's end is its end."""
        self._count += 1
        name = f"application-{self._count}"
        place = host or self.driver_host
        made = Driver(place, self.master, self.registry, python or self.python, name=name, settings=settings, uri=uri)
        self._stack.callback(made.close)
        return made


@contextmanager
def cluster(
    folder: Path, *, small: bool = False, pythons: tuple[Path, ...] = (), cores: int = 2, megabytes: int | None = None
) -> Iterator[Cluster]:
    """A registry, a master, two workers and a host for drivers.

    Args:
        small: MLflow alone, instead of PostgreSQL, S3 and nginx with it.
        pythons: more environments that the workers see.
        cores: of each worker.
        megabytes: the size of the second worker's disk.
    """
    python = executor_python()
    with Hosts(folder) as hosts, ExitStack() as stack:
        registry = Registry(hosts, Path(sys.executable) if small else registry_python())
        if small:
            registry.start_small()
        else:
            registry.start()
        master = Master(hosts)
        seen = (python, *pythons)
        workers = [
            Worker(hosts, "worker-1", master, seen, cores=cores),
            Worker(hosts, "worker-2", master, seen, cores=cores, megabytes=megabytes),
        ]
        made = Cluster(hosts, registry, master, workers, python, stack)
        registry.wait_until_ready()
        for worker in workers:
            worker.wait_until_registered()
        yield made
