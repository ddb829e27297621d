"""The start of Spark with sqlml: the settings a session needs, the session builder, and attaching PySpark to it."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.java_gateway import ensure_callback_server_started
from pyspark.sql import SparkSession

from sqlml.errors import SqlmlError
from sqlml.settings import PYTHON
from sqlml.spark.interruptions import Interruptions

if TYPE_CHECKING:
    from sqlml.importing.limits import Limits
    from sqlml.policy import Policy
    from sqlml.registry import Registry
    from sqlml.spark.applications import Applications

EXTENSIONS = "org.sqlml.SqlmlExtensions"
# The catalog of the registry's tables: `sqlml.models` is its table `models`.
CATALOG_KEY, CATALOG = "spark.sql.catalog.sqlml", "org.sqlml.RegistryCatalog"
# Spark's own setting of the executors' Python.
_EXECUTORS_PYTHON = "spark.pyspark.python"
# Settings that are lists, which may have other entries, and their separators.
_LISTS = {"spark.sql.extensions": ",", "spark.jars": ",", "spark.driver.extraClassPath": ":"}

_lock = threading.Lock()
_attached: dict[int, Any] = {}
_interruptions = Interruptions()


def jar() -> Path:
    """The path of the compiled Java side.

    Raises:
        SqlmlError: SQLML_MISSING_PACKAGE in a source tree that was never built.
    """
    path = Path(__file__).parent / "jars" / "sqlml.jar"
    if not path.is_file():
        raise SqlmlError(
            "SQLML_MISSING_PACKAGE",
            f"The compiled Java part of sqlml is missing at {path}.",
            hint="Install the package with pip, or run: python hatch_build.py",
        )
    return path


def settings() -> dict[str, str]:
    """The settings needed before Spark starts. The jar is named twice: Py4J's class loader ignores spark.jars."""
    path = str(jar())
    return {
        "spark.sql.extensions": EXTENSIONS,
        CATALOG_KEY: CATALOG,
        "spark.jars": path,
        "spark.driver.extraClassPath": path,
        PYTHON.key: sys.executable,
    }


def flags() -> list[str]:
    """The settings as arguments of spark-sql, spark-submit or spark-shell; they override spark-defaults.conf."""
    own = merged({})
    arguments = ["--jars", own.pop("spark.jars"), "--driver-class-path", own.pop("spark.driver.extraClassPath")]
    for key, value in own.items():
        arguments += ["--conf", f"{key}={value}"]
    return arguments


def merged(options: Mapping[str, Any]) -> dict[str, Any]:
    """A user's options combined with sqlml's: lists are joined, also with spark-defaults.conf; the user's own Python
    is kept."""
    result = dict(options)
    defaults = _defaults()
    for key, value in settings().items():
        current = str(result.get(key) or defaults.get(key) or "")
        if key in _LISTS:
            parts = [part for part in current.split(_LISTS[key]) if part]
            result[key] = _LISTS[key].join(parts if value in parts else [*parts, value])
        else:
            result[key] = current or value
    return result


def _defaults() -> dict[str, str]:
    """Parses spark-defaults.conf: per line a key, then blanks, "=" or ":", and the value."""
    home = os.environ.get("SPARK_HOME")
    folder = os.environ.get("SPARK_CONF_DIR") or (str(Path(home) / "conf") if home else None)
    path = Path(folder) / "spark-defaults.conf" if folder else None
    if path is None or not path.is_file():
        return {}
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    pairs = [re.split(r"\s*[=:]\s*|\s+", line, maxsplit=1) for line in lines if line and line[0] not in "#!"]
    return {pair[0]: pair[1].strip() for pair in pairs if len(pair) == 2}


class Builder(SparkSession.Builder):
    """Spark's session builder, whose sessions have sqlml."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__()
        self._options = dict(options)

    def getOrCreate(self) -> SparkSession:  # noqa: N802  Spark's name
        self._options = merged(self._options)
        # Executors use this interpreter, and not the first `python3` on their path, unless another one is named.
        # PySpark itself reads the environment only.
        named = self._options.get(_EXECUTORS_PYTHON) or os.environ.get("PYSPARK_PYTHON")
        os.environ["PYSPARK_PYTHON"] = named or sys.executable
        spark = super().getOrCreate()
        attach(spark)
        return spark


def configure(builder: SparkSession.Builder) -> Builder:
    return Builder(builder._options)


def connected(remote: str) -> SparkSession:
    """Opens a session of a Spark Connect server.

    Args:
        remote: `sc://host:15002`.

    Raises:
        SqlmlError: SQLML_ENGINE_FAILED if the server does not answer.
    """
    try:
        spark = SparkSession.builder.remote(remote).getOrCreate()
        spark.sql("SELECT 1").collect()
    except Exception as error:
        raise SqlmlError(
            "SQLML_ENGINE_FAILED",
            f"There is no Spark Connect server at {remote}: {' '.join(str(error).split())[:200]}",
            hint="Start one with sqlml connect-server.",
        ) from error
    return spark


def attach(spark: SparkSession) -> None:
    """Registers this Python as the bridge of the session's JVM, once per JVM.

    Raises:
        SqlmlError: SQLML_ENGINE_FAILED when the running session was started without sqlml's settings.
    """
    if not isinstance(spark, SparkSession):
        return  # a Spark Connect server starts its own bridge process
    gateway: Any = spark.sparkContext._gateway
    extensions = [name.strip() for name in (spark.conf.get("spark.sql.extensions", "") or "").split(",")]
    if EXTENSIONS not in extensions or not _has_jar(gateway):
        # spark-submit has started the JVM, and its class path is final.
        submitted = "PYSPARK_GATEWAY_PORT" in os.environ
        raise SqlmlError(
            "SQLML_ENGINE_FAILED",
            "A Spark session is running that was started without sqlml.",
            hint="Give spark-submit the jar and the settings: spark-submit $(sqlml conf) …."
            if submitted
            else "Stop it, or use a new Python process, and start the session with"
            " sqlml.configure(SparkSession.builder).",
        )
    check_version(gateway)
    with _lock:
        # A new Spark context replaces the handler of SIGINT.
        _interruptions.watch(pass_on=True)
        if id(gateway) in _attached:
            return
        from sqlml.spark.applications import Applications
        from sqlml.spark.bridge import Bridge

        ensure_callback_server_started(gateway)
        handler = Bridge(Applications(gateway), echo=_to_stderr, interruptions=_interruptions)
        gateway.jvm.org.sqlml.python.Bridge.register(handler)
        _attached[id(gateway)] = handler


def check_version(gateway: Any) -> None:
    """Checks that the JVM's part of sqlml and this Python package are of one version.

    Raises:
        SqlmlError: SQLML_ENGINE_FAILED, which names both.
    """
    from sqlml import __version__

    version, place = gateway.jvm.org.sqlml.python.Bridge.versionAndPlace()
    if version != __version__:
        raise SqlmlError(
            "SQLML_ENGINE_FAILED",
            f"sqlml's jar in this Spark is version {version} ({place}), and its Python package is version {__version__}"
            f" ({Path(__file__).parents[1]}).",
            hint="Both must be of one version: give Spark the package's own jar, which sqlml conf prints, alone. In"
            " a source tree, build it: python hatch_build.py",
        )


def has_session() -> bool:
    """Whether a Spark session runs in this process."""
    return SparkSession.getActiveSession() is not None or SparkSession._instantiatedSession is not None


def application_of(spark: SparkSession | None) -> tuple[Registry, Policy, Limits]:
    """The registry, the policy and the limits of imports of a session's application; of the active session if none is
    given.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID if no session runs, or only one of Spark Connect, whose registry is remote.
    """
    spark = session_of(spark)
    attach(spark)
    applications: Applications = _attached[id(spark.sparkContext._gateway)].applications
    from sqlml.importing.limits import Limits
    from sqlml.spark.applications import setting

    limits = Limits.of(lambda wanted: setting(spark, wanted))
    return applications.registry(spark), applications.policy(spark), limits


def session_of(spark: SparkSession | None) -> SparkSession:
    """The session, or the active one if none is given.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID if no session runs, or only one of Spark Connect, whose registry is remote.
    """
    spark = spark or SparkSession.getActiveSession() or SparkSession._instantiatedSession
    if not isinstance(spark, SparkSession):
        what = "No Spark session is running here" if spark is None else "A Spark Connect client has no registry"
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"{what}.",
            hint="Start a session with sqlml.session(), or pass registry='sqlite:///…'.",
        )
    return spark


def _has_jar(gateway: Any) -> bool:
    from py4j.java_gateway import JavaClass

    return isinstance(gateway.jvm.org.sqlml.python.Bridge, JavaClass)


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
