"""The project's own folder, `.sqlml` in the working directory: tables, catalogue, models and logs of local Spark.

Nothing is written elsewhere. The folder ignores itself in git. It can be deleted whole, and is then made anew.
"""

from __future__ import annotations

import fcntl
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from sqlml.errors import SqlmlError

# struct flock of POSIX record locks: type, whence, start, length, process; native sizes and alignment.
_FLOCK = struct.Struct("hhlli")

HomeOption = Annotated[
    Path, typer.Option("--home", envvar="SQLML_HOME", help="Folder of local tables, models and logs.")
]
MasterOption = Annotated[str, typer.Option("--master", help="Spark master.", envvar="SQLML_MASTER")]
ConfOption = Annotated[list[str] | None, typer.Option("--conf", help="Spark setting, key=value. Repeatable.")]
DEFAULT_HOME = Path(".sqlml")
DEFAULT_MASTER = "local[*]"


@dataclass(frozen=True)
class Home:
    """The folder's parts.

    Args:
        path: the folder; need not exist.
    """

    path: Path

    @property
    def warehouse(self) -> Path:
        return self.path.absolute() / "warehouse"

    @property
    def log(self) -> Path:
        """What the JVM and the executors' Python print."""
        return self.path.absolute() / "spark.log"

    def create(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        ignored = self.path / ".gitignore"
        if not ignored.exists():
            ignored.write_text("*\n", encoding="utf-8")

    def settings(self, master: str) -> dict[str, str]:
        """Spark settings that keep everything in the folder, and a local Spark off the network."""
        settings = {
            "spark.master": master,
            "spark.app.name": "sqlml",
            "spark.sql.warehouse.dir": str(self.warehouse),
            "spark.sql.catalogImplementation": "hive",
            # Derby keeps the catalogue (metastore_db) and its log where this points.
            "spark.driver.extraJavaOptions": f'"-Dderby.system.home={self.path.absolute()}"',
            "spark.hadoop.hive.exec.scratchdir": str(self.path.absolute() / "scratch"),
            "spark.ui.showConsoleProgress": "false",
        }
        if master.startswith("local"):
            settings |= {
                "spark.driver.memory": "2g",
                "spark.driver.host": "127.0.0.1",
                "spark.driver.bindAddress": "127.0.0.1",
            }
        return settings

    def catalogue_user(self) -> int | None:
        """The process that has the catalogue open; None where nobody has. Derby serves one process at a time."""
        lock = self.path / "metastore_db" / "dbex.lck"
        if not lock.exists():
            return None
        with lock.open("rb+") as file:
            question = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            kind, _, _, _, process = _FLOCK.unpack(fcntl.fcntl(file, fcntl.F_GETLK, question))
        return None if kind == fcntl.F_UNLCK else process

    def claim(self) -> None:
        """Makes the folder ready for one more Spark.

        Raises:
            SqlmlError: SQLML_ENGINE_FAILED while another process uses the folder.
        """
        process = self.catalogue_user()
        if process is not None:
            raise SqlmlError(
                "SQLML_ENGINE_FAILED",
                f"Process {process} is using {self.path}, and a local catalogue serves one process at a time.",
                hint="Stop it, connect to it if it is a server, or work in another folder with --home.",
            )
        self.create()


def parse_conf(given: list[str] | None) -> dict[str, str]:
    """`key=value` arguments as a mapping."""
    settings = {}
    for item in given or []:
        key, equals, value = item.partition("=")
        if not equals or not key.strip():
            raise typer.BadParameter(f"{item!r} is not key=value.", param_hint="--conf")
        settings[key.strip()] = value
    return settings
