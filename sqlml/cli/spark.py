"""The start of Spark for commands: a session in this process, or one of Spark's own programs by exec."""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from sqlml.cli.home import Home
from sqlml.errors import SqlmlError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

THRIFT_SERVER = "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"
CONNECT_SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"
_WAREHOUSE = "spark.sql.warehouse.dir"
# PySpark reports every analysis error to this logger, as JSON with the whole stack of the JVM.
_PYSPARK_ERRORS = "SQLQueryContextLogger"


def spark_home() -> Path:
    """The home of the Spark that belongs to this Python's pyspark.

    Raises:
        SqlmlError: SQLML_MISSING_PACKAGE.
    """
    found = importlib.util.find_spec("pyspark")
    if found is not None and found.origin is not None:
        package = Path(found.origin).parent
        if (package / "bin" / "spark-submit").exists():
            return package
        if "SPARK_HOME" in os.environ:
            return Path(os.environ["SPARK_HOME"])
    raise SqlmlError(
        "SQLML_MISSING_PACKAGE",
        "This Python has no pyspark that contains a Spark.",
        hint="Install it: pip install pyspark",
    )


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of Spark's programs: SPARK_HOME, the executors' Python, and a check for Java.

    Raises:
        SqlmlError: SQLML_ENGINE_FAILED without a Java.
    """
    values = dict(os.environ)
    home = values.get("JAVA_HOME")
    if shutil.which("java", path=str(Path(home) / "bin") if home else None) is None:
        raise SqlmlError(
            "SQLML_ENGINE_FAILED",
            f"There is no java in {f'JAVA_HOME ({home})' if home else 'the PATH'}.",
            hint="Install a JDK 17 or newer. Run sqlml doctor for details.",
        )
    values["SPARK_HOME"] = str(spark_home())
    if "spark.pyspark.python" not in settings:
        values.setdefault("PYSPARK_PYTHON", sys.executable)
    if settings.get("spark.master", "").startswith("local"):
        values.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    return values


def merged(home: Home, master: str, conf: Mapping[str, str]) -> dict[str, str]:
    """The folder's settings, overridden by the user's, combined with sqlml's.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID where the executors of a cluster would write tables to disks of their own.
    """
    from sqlml.settings import WAREHOUSE_SHARED
    from sqlml.spark import launch
    from sqlml.spark.applications import shares_disks

    shared = WAREHOUSE_SHARED.value(conf.get(WAREHOUSE_SHARED.key, ""))
    if not shares_disks(conf.get("spark.master", master)) and _WAREHOUSE not in conf and not shared:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"With the master {master}, tables in {home.warehouse} would be on the disk of each executor's own host.",
            hint=f"Name a warehouse that all hosts share: --conf {_WAREHOUSE}=hdfs://…. If this folder is shared, for"
            f" example by NFS: --conf {WAREHOUSE_SHARED.key}=true",
        )
    return launch.merged({**home.settings(master), **conf})


@contextmanager
def session(home: Home, master: str, conf: Mapping[str, str]) -> Iterator[SparkSession]:
    """A session in this process, stopped at the end of the block. The JVM's output goes to the folder's log."""
    home.claim()
    settings = {"spark.ui.enabled": "false", **merged(home, master, conf)}
    os.environ.update(environment(settings))
    from sqlml.spark.launch import Builder

    logging.getLogger(_PYSPARK_ERRORS).disabled = True
    try:
        with _stderr_to(home.log):
            spark = Builder(settings).getOrCreate()
    except SqlmlError:
        raise
    except Exception as error:
        raise SqlmlError(
            "SQLML_ENGINE_FAILED",
            f"Spark did not start: {_last_lines(home.log)}",
            hint=f"The whole log is in {home.log}.",
        ) from error
    try:
        yield spark
    finally:
        spark.stop()


@contextmanager
def _stderr_to(log: Path) -> Iterator[None]:
    """Redirects file descriptor 2 while the JVM starts, which inherits it and keeps it."""
    sys.stderr.flush()
    saved = os.dup(2)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)


def _last_lines(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if "Exception" in line or "rror" in line]
    return " ".join((telling or lines)[-2:])[:500] or "it printed nothing."


def run_program(program: str, home: Home, master: str, conf: Mapping[str, str], arguments: Sequence[str]) -> NoReturn:
    """Replaces this process by a program in Spark's bin folder (exec).

    Args:
        program: `spark-sql`, `spark-submit`.
        arguments: the arguments after the settings.
    """
    home.claim()
    settings: dict[str, Any] = merged(home, master, conf)
    command = [str(spark_home() / "bin" / program), *as_flags(settings), *arguments]
    sys.stdout.flush()
    os.execve(command[0], command, environment(settings))


def as_flags(settings: Mapping[str, str]) -> list[str]:
    """Settings as arguments of spark-submit."""
    return [part for key, value in settings.items() for part in ("--conf", f"{key}={value}")]
