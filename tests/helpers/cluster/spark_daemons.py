"""Spark's standalone daemons, each on a host of its own that has Spark, and a Python with little in it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from helpers.cluster.hosts import Host, Hosts
from helpers.cluster.services import tail, wait_for
from helpers.doors.servers import spark_home
from helpers.environments import packages

_WORKER = "org.apache.spark.deploy.worker.Worker"
_EXECUTOR = "CoarseGrainedExecutorBackend --driver-url"
# Where hosts have Spark: not in the checkout's environment, which they must not see.
_SPARK = Path("/spark")
# What PySpark itself needs is among them.
_PACKAGES = ["pyarrow", "onnxruntime", "pandas<3"]


def executor_python() -> Path:
    """Of an environment with pyarrow and ONNX Runtime, and no sqlml."""
    return packages("executor", _PACKAGES)


def older_executor_python() -> Path:
    """The same, with an ONNX Runtime two minor versions before that of the tests."""
    import onnxruntime

    major, minor = onnxruntime.__version__.split(".")[:2]
    older = f"onnxruntime=={major}.{int(minor) - 2}.*"
    return packages("older-executor", ["pyarrow", older, "pandas<3"])


class Master:
    """A master on a host of its own."""

    def __init__(self, hosts: Hosts) -> None:
        self.host = hosts.add("master", {spark_home(): _SPARK})
        self.address = f"spark://{self.host.address}:7077"
        options = ["--host", self.host.address, "--port", "7077", "--webui-port", "8080"]
        process = _daemon(self.host, "org.apache.spark.deploy.master.Master", options)
        _wait(self.host, process, "I have been elected leader")


class Worker:
    """A worker on a host of its own.

    Args:
        python: of its executors; all that its host sees of Python packages.
        cores: how many executors there are on it, of one core each.
        megabytes: the size of its disk.
    """

    def __init__(
        self,
        hosts: Hosts,
        name: str,
        master: Master,
        python: Sequence[Path],
        *,
        cores: int = 2,
        megabytes: int | None = None,
    ) -> None:
        environments = {one.parents[1]: one.parents[1] for one in python}
        self.host = hosts.add(name, {spark_home(): _SPARK, **environments}, megabytes)
        self._master, self._cores = master, cores
        self.start()

    def start(self) -> None:
        """Starts it, also again after it has ended."""
        options = [
            "--host",
            self.host.address,
            "--cores",
            str(self._cores),
            "--memory",
            "2g",
            "--work-dir",
            "/host/work",
        ]
        self._daemon = _daemon(self.host, _WORKER, [*options, self._master.address])

    def wait_until_registered(self) -> None:
        _wait(self.host, self._daemon, "Successfully registered with master")

    def send_signal(self, number: int = signal.SIGKILL) -> None:
        """Sends a signal to the worker's own process."""
        assert self.host.send_signal(_WORKER, number) >= 1

    def wait_until_ended(self) -> None:
        self._daemon.wait(60.0)

    def executors(self) -> list[int]:
        """The process ids of its executors, on this machine."""
        return self.host.processes(_EXECUTOR)

    def wait_for_executor(self) -> None:
        wait_for(lambda: bool(self.executors()), lambda: True, lambda: "no executor on its worker")

    def send_executors_signal(self, number: int = signal.SIGKILL) -> None:
        """Sends a signal to its executors' own processes."""
        assert self.host.send_signal(_EXECUTOR, number) >= 1

    def begun(self) -> int:
        """How many tasks its executors have begun so far."""
        logs = self.host.path("/host/work").glob("*/*/stderr")
        return sum(
            log.read_text(encoding="utf-8", errors="replace").count("INFO Executor: Running task") for log in logs
        )


def _daemon(host: Host, main_class: str, options: Sequence[str]) -> subprocess.Popen[str]:
    command: list[str | Path] = [_SPARK / "bin" / "spark-class", main_class, *options]
    decommission = "-Dspark.decommission.enabled=true"
    return host.spawn(command, "daemon.log", SPARK_HOME=str(_SPARK), SPARK_WORKER_OPTS=decommission)


def _wait(host: Host, process: subprocess.Popen[str], says: str) -> None:
    log = host.disk / "daemon.log"
    wait_for(lambda: says in tail(log), lambda: process.poll() is None, lambda: tail(log))
