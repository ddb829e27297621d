"""Opens doors and the servers behind them, each once, and closes everything at the end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from helpers.doors.beeline import Beeline
from helpers.doors.connect import ClientProcess
from helpers.doors.result import Door
from helpers.doors.servers import Server, connect_server, thrift_server
from helpers.doors.settings import launch_settings, session_settings
from helpers.doors.shell import Shell
from helpers.doors.thrift import Thrift

_RULES = """
[[rule]]
allow = "*"

[[rule]]
deny = ["train", "alter", "drop", "export"]
users = ["guest"]

[[rule]]
deny = "*"
users = ["guest"]
models = ["secret*"]

[[rule]]
deny = ["import"]
users = ["guest"]
models = ["onnx"]
"""


class Doors:
    """Every application has a folder, a metastore and a registry of its own: nothing one door does helps another.

    Args:
        folder: below it everything is kept.
        master: the Spark master of the applications.
    """

    def __init__(self, folder: Path, master: str = "local[2]") -> None:
        self._folder = folder
        self._master = master
        self._stack = ExitStack()
        self._doors: dict[str, Door] = {}
        self._thrift: Server | None = None
        self._connect: Server | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def open(self, name: str) -> Door:
        if name not in self._doors:
            door = _OPENERS[name](self)
            self._stack.callback(door.close)
            self._doors[name] = door
        return self._doors[name]

    @property
    def thrift(self) -> Server:
        """The Thrift server that beeline and PyHive share."""
        if self._thrift is None:
            folder = self.new_folder("thrift")
            self._thrift = thrift_server(self._server_settings(folder), folder)
            self._stack.callback(self._thrift.stop)
        return self._thrift

    @property
    def connect(self) -> Server:
        if self._connect is None:
            folder = self.new_folder("connect")
            self._connect = connect_server(self._server_settings(folder), folder)
            self._stack.callback(self._connect.stop)
        return self._connect

    def _server_settings(self, folder: Path) -> dict[str, str]:
        """A server has many users. All of its tests run under its rules, and the guest's see what they refuse."""
        rules = folder / "rules.toml"
        rules.write_text(_RULES, encoding="utf-8")
        return {**launch_settings(folder, folder, self._master), "spark.sqlml.permissions": str(rules)}

    def new_folder(self, name: str) -> Path:
        folder = self._folder / name
        folder.mkdir()
        return folder

    def _shell(self) -> Door:
        folder = self.new_folder("shell")
        return Shell(launch_settings(folder, folder, self._master), folder)

    def _client(self) -> Door:
        return ClientProcess("connect", f"sc://127.0.0.1:{self.connect.port}", self.connect.folder)

    def _pyspark(self) -> Door:
        folder = self.new_folder("pyspark")
        return ClientProcess("pyspark", session_settings(folder, folder, self._master), folder)


_OPENERS: dict[str, Callable[[Doors], Door]] = {
    "spark-sql": Doors._shell,
    "beeline": lambda doors: Beeline(doors.thrift.port, doors.thrift.folder),
    "pyhive": lambda doors: Thrift(doors.thrift.port),
    "connect": Doors._client,
    "pyspark": Doors._pyspark,
}
