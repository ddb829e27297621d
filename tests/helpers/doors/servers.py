"""Spark's own programs as child processes: the Thrift server, the Connect server, and how any of them is started."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_START_LIMIT = 120.0


def spark_home() -> Path:
    import pyspark

    return Path(pyspark.__file__).parent


def environment(home: Path | None = None) -> dict[str, str]:
    """What Spark's scripts need: which Spark, which Python, a plain terminal, this machine only.

    Args:
        home: another Spark than the installed one; Python programs find its pyspark too.
    """
    other = {} if home is None else {"PYTHONPATH": str(home.parent)}
    return (
        os.environ
        | other
        | {
            "SPARK_HOME": str(home or spark_home()),
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "TERM": "dumb",
            "TZ": "UTC",
        }
    )


def free_port() -> int:
    """A port of this machine that nobody listens on, for a server that may need many seconds until it does.

    One that the system gives out (port 0) would not do: it gives the same one to somebody else in the meantime, as the
    near end of a connection for example. So it is a random one below all that Linux, macOS and Windows give out.
    """
    for port in random.SystemRandom().sample(range(20_000, 32_000), 50):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("none of 50 ports between 20000 and 32000 is free")


def conf_flags(settings: Mapping[str, str]) -> list[str]:
    return [part for key, value in settings.items() for part in ("--conf", f"{key}={value}")]


def die_with_parent() -> None:
    """Run in a child before exec: a test process that is killed must not leave a JVM behind (Linux only)."""
    if sys.platform == "linux":
        import ctypes

        parent_death_signal = 1
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)


def start(
    command: Sequence[str | Path],
    *,
    folder: Path,
    stdin: int = subprocess.DEVNULL,
    stdout: int | None = None,
    stderr: int | None = None,
    log: Path | None = None,
    home: Path | None = None,
) -> subprocess.Popen[str]:
    """Starts a program in a process group of its own, with `home` as its Spark; output goes to `log` where no stream is
    named."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(log or os.devnull, "w") as sink:
        return subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env=environment(home),
            stdin=stdin,
            stdout=sink if stdout is None else stdout,
            stderr=sink if stderr is None else stderr,
            text=True,
            encoding="utf-8",
            start_new_session=True,
            preexec_fn=die_with_parent,
        )


def stop(process: subprocess.Popen[str], limit: float = 15.0) -> None:
    """Ends a program and everything it started."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, sent)
            try:
                process.wait(limit)
            except subprocess.TimeoutExpired:
                continue
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


class Server:
    """A program that listens on a port of its own choice and says so.

    Args:
        says: a pattern for the line of its log that shows the address; its first group is `address`.
    """

    def __init__(self, command: Sequence[str | Path], says: str, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "server.log"
        folder.mkdir(parents=True, exist_ok=True)
        self.process = start(command, folder=folder, log=self.log)
        self.address = self._wait_for(says)

    @property
    def port(self) -> int:
        return int(self.address)

    def _wait_for(self, says: str) -> str:
        deadline = time.monotonic() + _START_LIMIT
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(says, self.log.read_text(encoding="utf-8", errors="replace"))
            if found:
                return found.group(1)
            time.sleep(0.2)
        tail = self.log.read_text(encoding="utf-8", errors="replace")[-4000:]
        self.stop()
        raise RuntimeError(f"{self.log} does not say {says!r}; it ends with:\n{tail}")

    def stop(self) -> None:
        stop(self.process)


def _submit(settings: Mapping[str, str], main_class: str) -> list[str | Path]:
    return [spark_home() / "bin" / "spark-submit", *conf_flags(settings), "--class", main_class, "spark-internal"]


def thrift_server(settings: Mapping[str, str], folder: Path) -> Server:
    command = _submit(settings, "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2")
    for setting in ("thrift.bind.host=127.0.0.1", "thrift.port=0", "authentication=NONE"):
        command += ["--hiveconf", f"hive.server2.{setting}"]
    return Server(command, r"Starting ThriftBinaryCLIService on port (\d+)", folder)


def connect_server(settings: Mapping[str, str], folder: Path) -> Server:
    from sqlml.cli.servers import CONNECT_SETTINGS

    here = {"spark.connect.grpc.binding.address": "127.0.0.1", "spark.connect.grpc.binding.port": "0"}
    here |= CONNECT_SETTINGS
    command = _submit({**settings, **here}, "org.apache.spark.sql.connect.service.SparkConnectServer")
    return Server(command, r"Spark Connect server started at: \S*:(\d+)", folder)


def standalone_master(folder: Path) -> Server:
    return _daemon("org.apache.spark.deploy.master.Master", [], r"Starting Spark master at (spark://\S+)", folder)


def standalone_worker(master: str, folder: Path) -> Server:
    options = ["--cores", "1", "--memory", "1g", "--work-dir", str(folder / "work"), master]
    says = r"Successfully registered with master (spark://\S+)"
    return _daemon("org.apache.spark.deploy.worker.Worker", options, says, folder)


def _daemon(main_class: str, options: Sequence[str], says: str, folder: Path) -> Server:
    listening = ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"]
    return Server([spark_home() / "bin" / "spark-class", main_class, *listening, *options], says, folder)
