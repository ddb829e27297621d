"""The Spark application that this Python serves: PySpark sessions over the JVM's, and its registry and policy."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from sqlml.errors import SqlmlError
from sqlml.policy.audit import OFF, audit_path
from sqlml.settings import AUDIT, PATIENCE, PERMISSIONS, READ_ONLY, REGISTRY_URI, STALENESS, Setting
from sqlml.system import temporary

if TYPE_CHECKING:
    from sqlml.policy import Policy
    from sqlml.registry import Registry

T = TypeVar("T")
# The pause between two looks for runs of killed drivers. A lease expires after 90 seconds.
_TIDY_SECONDS = 100.0
# Spark's own settings for redaction in its logs and web pages.
_REDACTIONS, _REDACTED = ("spark.sql.redaction.string.regex", "spark.redaction.string.regex"), "*********(redacted)"


class Applications:
    """The Spark application that this Python serves: one at a time; another follows when the JVM has a new context.

    Args:
        gateway: Py4J's gateway to the JVM.
    """

    def __init__(self, gateway: Any) -> None:
        self._gateway = gateway
        self._lock = threading.Lock()
        self._registries: dict[tuple[str, str | None], Registry] = {}
        self._policies: dict[str, Policy] = {}

    def session(self, jsession: Any) -> SparkSession:
        """A PySpark session over the caller's own session, with its views, current database and settings."""
        with self._lock:
            context = self._context(jsession)
        return SparkSession(context, jsession)

    def registry(self, spark: SparkSession) -> Registry:
        """The application's registry; the first call starts the clean-up after killed drivers."""
        from sqlml.registry import Registry

        location = _location(spark)
        with self._lock:
            if location not in self._registries:
                registry = self._registries[location] = Registry(
                    *location, patience=setting(spark, PATIENCE), staleness=setting(spark, STALENESS)
                )
                if not setting(spark, READ_ONLY):
                    threading.Thread(target=_tidy, args=(registry,), name="sqlml-tidy", daemon=True).start()
            return self._registries[location]

    def policy(self, spark: SparkSession) -> Policy:
        """The application's permissions and audit log."""
        from sqlml.policy import AuditLog, Permissions, Policy

        context = spark.sparkContext
        application = context.applicationId
        with self._lock:
            if application not in self._policies:
                path = audit_path(setting(spark, AUDIT), _location(spark)[0])
                off = setting(spark, AUDIT).lower() == OFF
                audit = AuditLog(path, application, _redaction(context), off=off)
                logging.getLogger(__name__).info("audit log: %s", "off" if off else path or "the logger sqlml.audit")
                permissions = Permissions(setting(spark, READ_ONLY), setting(spark, PERMISSIONS))
                self._policies[application] = Policy(permissions, audit)
            return self._policies[application]

    def _context(self, jsession: Any) -> SparkContext:
        """The PySpark context over the JVM's, made anew where the JVM has started another."""
        active = SparkContext._active_spark_context
        if active is not None:
            jcontext: Any = active._jsc
            if jcontext is not None and not jcontext.sc().isStopped():
                return active
            active.stop()
        jvm = self._gateway.jvm
        jcontext = jvm.org.apache.spark.api.java.JavaSparkContext.fromSparkContext(jsession.sparkContext())
        context = SparkContext(gateway=self._gateway, jsc=jcontext, conf=SparkConf(_jconf=jcontext.getConf()))
        # Creating a PySpark session sets the JVM's default session and the thread's active one. The default must not
        # become a client's session, and the active one must stay the client's.
        sessions = jvm.org.apache.spark.sql.classic.SparkSession
        default = sessions.getDefaultSession()
        SparkSession(context, default.get() if default.isDefined() else jsession)
        sessions.setActiveSession(jsession)
        return context


def _tidy(registry: Registry) -> None:
    """Cleans up what killed drivers have left: temporary folders, and again and again their open runs."""
    temporary.remove_orphans()
    while True:
        try:
            registry.end_orphans()
        except SqlmlError as error:
            # A user of the registry gets the same error.
            logging.getLogger(__name__).info("Nothing was cleared away: %s", error)
        time.sleep(_TIDY_SECONDS)


def _redaction(context: SparkContext) -> Callable[[str], str]:
    """A function that redacts texts as Spark does; it uses Java's regular expressions, which differ from Python's."""
    # As in Spark, the second setting is the default of the first.
    pattern = next((found for key in _REDACTIONS if (found := context._conf.get(key))), None)
    if pattern is None:
        return str
    jvm: Any = context._jvm
    compiled = jvm.java.util.regex.Pattern.compile(pattern)

    def redacted(text: str) -> str:
        return str(compiled.matcher(text).replaceAll(_REDACTED))

    return redacted


def shares_disks(master: str) -> bool:
    """Whether driver and executors are on one machine, for certain."""
    return master == "local" or master.startswith(("local[", "local-cluster["))


def is_local(spark: SparkSession) -> bool:
    """Whether the driver is the only executor."""
    master = str(spark.sparkContext.master)
    return master == "local" or master.startswith("local[")


def in_cluster_mode(conf: SparkConf) -> bool:
    """Whether the cluster manager has chosen the driver's host: `spark-submit --deploy-mode cluster`.

    On Kubernetes the driver's pod runs spark-submit once more, in client mode, with a setting that says so.
    """
    submitted_in_pod = (conf.get("spark.kubernetes.submitInDriver", "") or "").lower() == "true"
    return submitted_in_pod or (conf.get("spark.submit.deployMode", "") or "").lower() == "cluster"


def _location(spark: SparkSession) -> tuple[str, str | None]:
    """The registry's location; see `locate`.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for a file or a folder in cluster mode: each run may have its driver
            on another host, and would not find the models of the run before.
    """
    from sqlml.registry.location import is_local, locate

    found = locate(setting(spark, REGISTRY_URI), spark.conf.get("spark.sql.warehouse.dir") or "")
    if is_local(found[0]) and in_cluster_mode(spark.sparkContext._conf):
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"With --deploy-mode cluster, the model registry {found[0]} would be on the disk of whichever host runs the"
            " driver, and the next run would not find its models.",
            hint=f"Name a server: --conf {REGISTRY_URI.key}=http://…. Tables too need a warehouse that all hosts share:"
            " --conf spark.sql.warehouse.dir=hdfs://…. Or submit with --deploy-mode client.",
        )
    return found


def setting(spark: SparkSession, wanted: Setting[T]) -> T:
    """The value of a setting: of the application, which no client can change with SET, or of the session."""
    if wanted.session:
        return wanted.value(spark.conf.get(wanted.key, "") or "")
    return wanted.value(spark.sparkContext._conf.get(wanted.key, "") or "")
