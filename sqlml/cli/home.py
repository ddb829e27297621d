"""The project's folder, `.sqlml` in the working directory: tables, catalogue, models and logs of a local Spark.

Nothing is written elsewhere. The folder has a .gitignore for itself. It can be deleted as a whole, and is recreated.
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

# C's `struct flock` of POSIX record locks: type, whence, start, length, process; native sizes and alignment.
_FLOCK = struct.Struct("hhlli")

HomeOption = Annotated[
    Path, typer.Option("--home", envvar="SQLML_HOME", help="The folder of local tables, models and logs.")
]
MasterOption = Annotated[str, typer.Option("--master", help="The Spark master.", envvar="SQLML_MASTER")]
ConfOption = Annotated[list[str] | None, typer.Option("--conf", help="A Spark setting, key=value. Can be repeated.")]
DEFAULT_HOME = Path(".sqlml")
DEFAULT_MASTER = "local[*]"


@dataclass(frozen=True)
class Home:
    """The paths in the folder, and the settings of a Spark that works in it.

    Args:
        path: the folder; need not exist.
    """

    path: Path

    @property
    def warehouse(self) -> Path:
        return self.path.absolute() / "warehouse"

    @property
    def log(self) -> Path:
        """The log of the JVM's and the executors' Python's output."""
        return self.path.absolute() / "spark.log"

    def create(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        ignored = self.path / ".gitignore"
        if not ignored.exists():
            ignored.write_text("*\n", encoding="utf-8")

    def settings(self, master: str) -> dict[str, str]:
        """Spark settings that keep all files in the folder and, for a local master, Spark off the network."""
        settings = {
            "spark.master": master,
            "spark.app.name": "sqlml",
            "spark.sql.warehouse.dir": str(self.warehouse),
            "spark.sql.catalogImplementation": "hive",
            # The folder of Derby's database (metastore_db) and log.
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
        """The process that has the catalogue open, or None. Derby allows one process at a time."""
        lock = self.path / "metastore_db" / "dbex.lck"
        if not lock.exists():
            return None
        with lock.open("rb+") as file:
            question = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            kind, _, _, _, process = _FLOCK.unpack(fcntl.fcntl(file, fcntl.F_GETLK, question))
        return None if kind == fcntl.F_UNLCK else process

    def claim(self) -> None:
        """Creates the folder for a Spark that is about to start.

        Raises:
            SqlmlError: SQLML_ENGINE_FAILED while another process uses the folder.
        """
        process = self.catalogue_user()
        if process is not None:
            raise SqlmlError(
                "SQLML_ENGINE_FAILED",
                f"Process {process} is using {self.path}, and only one process at a time can use a local catalog.",
                hint="Stop it, connect to it if it is a server, or use another folder with --home.",
            )
        self.create()


def parse_conf(items: list[str] | None) -> dict[str, str]:
    """Parses the `key=value` arguments of --conf."""
    settings = {}
    for item in items or []:
        key, equals, value = item.partition("=")
        if not equals or not key.strip():
            raise typer.BadParameter(f"{item!r} is not key=value.", param_hint="--conf")
        settings[key.strip()] = value
    return settings
