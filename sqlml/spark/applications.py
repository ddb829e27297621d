"""From a session of the JVM to a session of PySpark, and to the one registry of its application."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from sqlml.errors import SqlmlError
from sqlml.policy.audit import audit_path
from sqlml.settings import AUDIT, PERMISSIONS, READ_ONLY, REGISTRY_URI, Setting
from sqlml.system import temporary

if TYPE_CHECKING:
    from sqlml.policy import Policy
    from sqlml.registry import Registry

T = TypeVar("T")
# Spark's own: what its logs and pages must not show of a text.
_REDACTIONS, _REDACTED = ("spark.sql.redaction.string.regex", "spark.redaction.string.regex"), "*********(redacted)"


class Applications:
    """The Spark application this Python serves. One at a time; another follows where a JVM starts a new context.

    Args:
        gateway: Py4J's way to the JVM.
    """

    def __init__(self, gateway: Any) -> None:
        self._gateway = gateway
        self._lock = threading.Lock()
        self._registries: dict[tuple[str, str | None], Registry] = {}
        self._policies: dict[str, Policy] = {}

    def session(self, jsession: Any) -> SparkSession:
        """The caller's own session: its views, its current database, its settings."""
        with self._lock:
            context = self._context(jsession)
        return SparkSession(context, jsession)

    def registry(self, spark: SparkSession) -> Registry:
        from sqlml.registry import Registry

        place = _place(spark)
        with self._lock:
            if place not in self._registries:
                registry = self._registries[place] = Registry(*place)
                if not setting(spark, READ_ONLY):
                    threading.Thread(target=_tidy, args=(registry,), name="sqlml-tidy", daemon=True).start()
            return self._registries[place]

    def policy(self, spark: SparkSession) -> Policy:
        """Who may do what, and the record of it."""
        from sqlml.policy import AuditLog, Permissions, Policy

        context = spark.sparkContext
        application = context.applicationId
        with self._lock:
            if application not in self._policies:
                audit = AuditLog(
                    audit_path(setting(spark, AUDIT), _place(spark)[0]),
                    application,
                    _redaction(context),
                )
                permissions = Permissions(setting(spark, READ_ONLY), setting(spark, PERMISSIONS))
                self._policies[application] = Policy(permissions, audit)
            return self._policies[application]

    def _context(self, jsession: Any) -> SparkContext:
        active = SparkContext._active_spark_context
        if active is not None:
            jcontext: Any = active._jsc
            if jcontext is not None and not jcontext.sc().isStopped():
                return active
            active.stop()
        jvm = self._gateway.jvm
        jcontext = jvm.org.apache.spark.api.java.JavaSparkContext.fromSparkContext(jsession.sparkContext())
        context = SparkContext(gateway=self._gateway, jsc=jcontext, conf=SparkConf(_jconf=jcontext.getConf()))
        # The first session PySpark sees becomes the JVM's default; that must not be some client's. It becomes the
        # calling thread's active one too, which must stay the client's.
        sessions = jvm.org.apache.spark.sql.classic.SparkSession
        default = sessions.getDefaultSession()
        SparkSession(context, default.get() if default.isDefined() else jsession)
        sessions.setActiveSession(jsession)
        return context


def _tidy(registry: Registry) -> None:
    """Clears away what drivers have left that were killed."""
    temporary.remove_orphans()
    try:
        registry.end_orphans()
    except SqlmlError as error:
        # Whoever uses the registry is told what is wrong with it; the next application tries again.
        logging.getLogger(__name__).info("Nothing was cleared away: %s", error)


def _redaction(context: SparkContext) -> Callable[[str], str]:
    """What takes out of a text what Spark would. By Java, whose regular expressions are not Python's."""
    # As in Spark, the second stands in for the first.
    pattern = next((found for key in _REDACTIONS if (found := context._conf.get(key))), None)
    if pattern is None:
        return str
    jvm: Any = context._jvm
    compiled = jvm.java.util.regex.Pattern.compile(pattern)

    def redacted(text: str) -> str:
        return str(compiled.matcher(text).replaceAll(_REDACTED))

    return redacted


def _place(spark: SparkSession) -> tuple[str, str | None]:
    from sqlml.registry.location import locate

    return locate(setting(spark, REGISTRY_URI), spark.conf.get("spark.sql.warehouse.dir") or "")


def setting(spark: SparkSession, wanted: Setting[T]) -> T:
    """A setting of the application, which no client can change with SET; or one of the session, which it can."""
    if wanted.session:
        return wanted.value(spark.conf.get(wanted.key, "") or "")
    return wanted.value(spark.sparkContext._conf.get(wanted.key, "") or "")
