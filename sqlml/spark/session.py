"""The session of a running statement: `sqlml.session.Session`, implemented over the caller's Spark session."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_type
from pyspark.sql.types import DataType, MapType, StructType, TimestampType

from sqlml.errors import SqlmlError, blank, line_and_column
from sqlml.estimators.mllib.stages import Stages
from sqlml.parser.cursor import Piece
from sqlml.parser.generator import quote_identifier
from sqlml.settings import ALLOWED_PATHS, Setting
from sqlml.spark import catalog_objects, single_values, sources, texts, transforms, trials
from sqlml.spark.applications import Applications, setting
from sqlml.spark.interruptions import Interruptions
from sqlml.system.allowed_paths import AllowedPaths

if TYPE_CHECKING:
    from sqlml.lineage import Source
    from sqlml.registry import Registry
    from sqlml.signature import Feature

T = TypeVar("T")
_RESULT_LIMIT = "spark.driver.maxResultSize"


class SparkStatementSession:
    """Implements the protocols of `sqlml.session`, which document the methods, for one run of one statement.

    Args:
        spark: the caller's session.
        sql: the statement's whole text, to which offsets refer.
        call: the JVM's `org.sqlml.python.StatementExecution`.
        user: the name of the user who runs it.
        echo: receives every progress line in addition to the client.
        interruptions: counts Ctrl-C.
    """

    def __init__(
        self,
        spark: SparkSession,
        sql: str,
        call: Any,
        applications: Applications,
        *,
        user: str,
        echo: Callable[[str], None] | None,
        interruptions: Interruptions,
    ) -> None:
        self._spark = spark
        self._sql = sql
        self._call = call
        self._applications = applications
        self.user = user
        self._echo = echo
        self._interruptions = interruptions
        self._interruptions_before = interruptions.count()

    @property
    def registry(self) -> Registry:
        return self._applications.registry(self._spark)

    def may(self, action: str, model: str) -> bool:
        return self._applications.policy(self._spark).permissions.allow(self.user, action, model)

    def frame(self, query: str, offset: int = 0) -> DataFrame:
        own = self._sql.startswith(query, offset)
        # Padded with blanks up to the query's start, so that Spark reports the user's lines and columns.
        text = blank(self._sql[:offset]) + query if own else query
        return DataFrame(self._call.frame(text, own), self._spark)

    def generated(self, query: str) -> DataFrame:
        return catalog_objects.as_written(self._spark, query)

    def substituted(self, text: str) -> str:
        if catalog_objects.VARIABLE not in text:
            return text
        jvm: Any = self._spark.sparkContext._jvm
        return str(jvm.org.apache.spark.sql.internal.VariableSubstitution().substitute(text))

    def assign(self, variable: str, expression: Piece) -> None:
        # Padded so that the expression keeps the user's line and column in Spark's errors.
        line, column = line_and_column(self._sql, expression.offset)
        command = f"SET VAR {quote_identifier(variable)} ="
        padded = f"{command}{chr(10) * (line - 1)}{' ' * column}" if line > 1 else f"{command} ".ljust(column)
        self._spark.sql(padded + expression.text)

    def check(self, statement: str) -> None:
        jsession: Any = self._spark._jsparkSession
        jsession.sessionState().sqlParser().parsePlan(statement)

    def sources(self, frame: DataFrame) -> tuple[Source, ...]:
        return sources.read_by(frame)

    def outputs(self, frame: DataFrame, select_list: Piece) -> Mapping[str, tuple[str, ...]]:
        return transforms.outputs(self._spark, self._sql, frame, select_list)

    def selected(self, frame: DataFrame, select_list: Piece, also: Sequence[str]) -> DataFrame:
        return transforms.selected(self._spark, self._sql, frame, select_list, also)

    def canonical_texts(self, frame: DataFrame, columns: Sequence[Feature]) -> DataFrame:
        return texts.canonical(self._spark, frame, columns)

    @property
    def database(self) -> str:
        catalog = self._spark.catalog
        return f"{catalog.currentCatalog()}.{catalog.currentDatabase()}"

    def meaning(self) -> dict[str, str]:
        return transforms.meaning(self._spark)

    def collect(self, frame: DataFrame) -> pa.Table:
        try:
            return frame.toArrow()
        except Exception as error:
            if _RESULT_LIMIT not in str(error):
                raise
            limit = self._spark.sparkContext._conf.get(_RESULT_LIMIT, "1g")
            raise SqlmlError(
                "SQLML_TOO_MANY_ROWS",
                f"The rows to learn from are more than {limit}, which is the most this driver collects.",
                hint="Train with an estimator of MLlib on the cluster, on fewer rows or columns, or have"
                f" {_RESULT_LIMIT} raised.",
            ) from error

    def value(self, query: str, offset: int, most_bytes: int) -> bytes | str:
        return single_values.only(self.frame(query, offset), most_bytes)

    def append(self, table: str, schema: str, row: Mapping[str, Any]) -> None:
        single_values.append(self._spark, table, schema, row)

    def execute(self, command: str) -> int | None:
        return catalog_objects.execute(self._spark, command)

    def replace_table(self, name: str, command: Callable[[str, bool], str]) -> int | None:
        return catalog_objects.replace_table(self._spark, name, command)

    def located(self, kind: str, name: str) -> str:
        return catalog_objects.located(self._spark, kind, name)

    def keeps_properties(self, name: str) -> bool:
        return not catalog_objects.is_database(self._spark, name)

    def has(self, kind: str, name: str, mark: tuple[str, str] | None) -> bool | None:
        return catalog_objects.has(self._spark, kind, name, mark)

    def type(self, text: str, offset: int) -> str:
        return catalog_objects.type_of(text, offset)

    @property
    def allowed_paths(self) -> AllowedPaths:
        # Both settings are static: no client can change them.
        entries = self.setting(ALLOWED_PATHS)
        warehouse = self._spark.conf.get("spark.sql.warehouse.dir") or ""
        allowed = AllowedPaths.of(entries or [entry for entry in (warehouse, os.getcwd()) if entry])
        # The registry's own files are read only through the registry.
        return allowed.without(self.registry.places())

    def read_elsewhere(self, uri: str, most_bytes: int) -> bytes:
        return single_values.file(self._spark, uri, most_bytes)

    @property
    def is_local(self) -> bool:
        return trials.is_local(self._spark)

    def tasks(self, rows: Path, title: str) -> AbstractContextManager[trials.Tasks]:
        stages = Stages(title, self._spark.sparkContext, self.progress, self.cancelled)
        return trials.opened(self._spark, rows, stages)

    def progress(self, text: str) -> None:
        self._call.progress(text)
        if self._echo is not None:
            self._echo(text)

    def cancelled(self) -> bool:
        return self._interruptions.count() > self._interruptions_before or bool(self._call.cancelled())

    def setting(self, wanted: Setting[T]) -> T:
        return setting(self._spark, wanted)


def java_rows(spark: SparkSession, rows: Sequence[tuple[Any, ...]], schema: str) -> Any:
    """Converts rows to a java.util.List of org.apache.spark.sql.Row, without a Spark job.

    Args:
        schema: Spark DDL, one column per member of each tuple. A map is a dict, a struct a tuple or a dict, a
            timestamp a datetime with a zone.
    """
    if not rows:
        jvm: Any = spark.sparkContext._jvm
        return jvm.java.util.ArrayList()
    struct = StructType.fromDDL(schema)
    columns = [
        pa.array([_arrow_value(value, field.dataType) for value in column], type=_arrow_type(field.dataType))
        for field, column in zip(struct.fields, zip(*rows, strict=True), strict=True)
    ]
    table = pa.table(columns, names=struct.names)
    return spark.createDataFrame(table, schema=struct)._jdf.collectAsList()


def _arrow_type(kind: DataType) -> pa.DataType:
    return pa.timestamp("us", tz="UTC") if isinstance(kind, TimestampType) else to_arrow_type(kind)


def _arrow_value(value: Any, kind: DataType) -> Any:
    if value is None or isinstance(value, (str, int, float, bool, bytes, date, datetime)):
        return value
    if isinstance(kind, MapType):
        return [(key, _arrow_value(item, kind.valueType)) for key, item in value.items()]
    if isinstance(kind, StructType):
        members = [value[name] for name in kind.names] if isinstance(value, dict) else value
        return {
            field.name: _arrow_value(member, field.dataType) for field, member in zip(kind.fields, members, strict=True)
        }
    return list(value) if isinstance(value, (tuple, set)) else value
