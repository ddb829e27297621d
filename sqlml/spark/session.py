"""The session of a running statement: the protocols of `sqlml.session` over the caller's Spark session."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark.sql import SparkSession

from sqlml.estimators.mllib.stages import Stages
from sqlml.settings import Setting
from sqlml.spark import trials
from sqlml.spark.applications import Applications, is_local, setting
from sqlml.spark.catalog import SparkCatalog
from sqlml.spark.expressions import SparkExpressions
from sqlml.spark.files import SparkFiles
from sqlml.spark.interruptions import Interruptions
from sqlml.spark.queries import SparkQueries

if TYPE_CHECKING:
    from sqlml.registry import Registry

T = TypeVar("T")


class SparkStatementSession:
    """Implements `sqlml.session.Session` for one run of one statement.

    Args:
        spark: the caller's session.
        sql: the statement's whole text, to which offsets refer.
        query_offset: the offset of the statement's query in `sql`; None for a statement without one.
        call: the JVM's `org.sqlml.python.StatementExecution`.
        user: the name of the user who runs it.
        echo: receives every progress line in addition to the client.
        interruptions: counts Ctrl-C.
    """

    def __init__(
        self,
        spark: SparkSession,
        sql: str,
        query_offset: int | None,
        call: Any,
        applications: Applications,
        *,
        user: str,
        echo: Callable[[str], None] | None,
        interruptions: Interruptions,
    ) -> None:
        self._spark = spark
        self._applications = applications
        self.caller = SparkCaller(spark, call, applications, user, echo, interruptions)
        self.application = SparkApplication(spark, self.caller)
        self.queries = SparkQueries(spark, sql, query_offset, call)
        self.expressions = SparkExpressions(spark, sql)
        self.catalog = SparkCatalog(spark, sql, call)
        self.files = SparkFiles(spark, applications)

    @property
    def registry(self) -> Registry:
        return self._applications.registry(self._spark)


class SparkCaller:
    """Implements `sqlml.session.Caller`. The arguments are those of the session."""

    def __init__(
        self,
        spark: SparkSession,
        call: Any,
        applications: Applications,
        user: str,
        echo: Callable[[str], None] | None,
        interruptions: Interruptions,
    ) -> None:
        self._spark = spark
        self._call = call
        self._applications = applications
        self.user = user
        self._echo = echo
        self._interruptions = interruptions
        self._interruptions_before = interruptions.count()

    def may(self, action: str, model: str) -> bool:
        return self._applications.policy(self._spark).permissions.allow(self.user, action, model)

    def progress(self, text: str) -> None:
        self._call.progress(text)
        if self._echo is not None:
            self._echo(text)

    def cancelled(self) -> bool:
        return self._interruptions.count() > self._interruptions_before or bool(self._call.cancelled())


class SparkApplication:
    """Implements `sqlml.session.Application`."""

    def __init__(self, spark: SparkSession, caller: SparkCaller) -> None:
        self._spark, self._caller = spark, caller

    def setting(self, wanted: Setting[T]) -> T:
        return setting(self._spark, wanted)

    @property
    def is_local(self) -> bool:
        return is_local(self._spark)

    def tasks(self, rows: Path, title: str) -> AbstractContextManager[trials.Tasks]:
        stages = Stages(title, self._spark.sparkContext, self._caller.progress, self._caller.cancelled)
        return trials.opened(self._spark, rows, stages)
