"""Objects of Spark's catalogs: `sqlml.session.Catalog`, implemented over the caller's Spark session."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from py4j.java_gateway import is_instance_of
from pyspark.errors import (
    AnalysisException,
    IllegalArgumentException,
    PySparkException,
    UnsupportedOperationException,
)
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from sqlml.errors import SqlmlError, line_and_column
from sqlml.parser.cursor import Piece
from sqlml.parser.generator import identifier, quote_identifier, quote_string
from sqlml.settings import WAREHOUSE_SHARED
from sqlml.spark.applications import setting, shares_disks
from sqlml.spark.queries import run_generated
from sqlml.system.allowed_paths import is_elsewhere, plain

_NO_REPLACE = "UNSUPPORTED_FEATURE.TABLE_OPERATION"
_NO_ABILITY = "MISSING_CATALOG_ABILITY"
# Errors without a condition, Spark's and Iceberg's, are recognized by their messages.
_NO_JDBC_TYPE = "Can't get JDBC type for"
_NO_VIEWS = re.compile(r"(?:Creating|Replacing) a view is not supported by catalog: (?P<catalog>\S+)")
# A table or view that does not exist, or its schema.
_ABSENT = ("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND", "VIEW_NOT_FOUND")
_SESSION_CATALOG = "spark_catalog"
_STAGING = "org.apache.spark.sql.connector.catalog.StagingTableCatalog"
_JDBC = "org.apache.spark.sql.execution.datasources.v2.jdbc.JDBCTableCatalog"


class SparkCatalog:
    """Implements `sqlml.session.Catalog`, which documents the methods.

    Args:
        sql: the statement's whole text, to which offsets refer.
        call: the JVM's `org.sqlml.python.StatementExecution`.
    """

    def __init__(self, spark: SparkSession, sql: str, call: Any) -> None:
        self._spark, self._sql, self._call = spark, sql, call

    # -- tables, views, functions ------------------------------------------------------------------------------------

    def execute(self, command: str) -> int | None:
        try:
            execution: Any = run_generated(self._spark, command)._jdf.queryExecution()
        except (AnalysisException, IllegalArgumentException, UnsupportedOperationException) as error:
            raise _lacking(error) or error from None
        done = execution.commandExecuted()
        if done.getClass().getSimpleName() != "CommandResult":
            return None
        written = _written(done.commandPhysicalPlan())
        return None if written is None else int(written)

    def replace_table(self, name: str, command: Callable[[str, bool], str]) -> int | None:
        """Atomically where the catalog can stage tables. Otherwise by a plain CREATE where there is no table yet, or
        else by a new table beside the old one, a drop and a rename."""
        spark = self._spark
        # Without staging, Spark's own CREATE OR REPLACE drops the old table before the new one's first row is written.
        if self._is_in(name, _STAGING):
            try:
                return self.execute(command(name, True))
            except AnalysisException as error:
                if error.getCondition() != _NO_REPLACE:
                    raise
        if not spark.catalog.tableExists(name):
            return self.execute(command(name, False))
        # Under an unused name beside the old table, which stays untouched if the query fails.
        new = f"{name.removesuffix('`')}__{secrets.token_hex(4)}{'`' * name.endswith('`')}"
        rows = self.execute(command(new, False))
        try:
            # RENAME TO takes a name without the catalog.
            _, *inside = self._found("table", name)
            spark.sql(f"DROP TABLE {name}")
        except PySparkException:
            spark.sql(f"DROP TABLE IF EXISTS {new}")
            raise
        try:
            spark.sql(f"ALTER TABLE {new} RENAME TO {'.'.join(map(identifier, inside))}")
        except PySparkException as error:
            raise SqlmlError(
                "SQLML_ENGINE_FAILED",
                f"The new table is complete as {new}, but Spark could not rename it to the old one, which has been"
                f" dropped: {' '.join(str(error).split())[:200]}",
                hint=f"Run ALTER TABLE {new} RENAME TO {name}.",
            ) from error
        return rows

    def append(self, table: str, schema: str, row: Mapping[str, Any]) -> None:
        struct = StructType.fromDDL(schema)
        frame = self._spark.createDataFrame([tuple(row[name] for name in struct.names)], struct)
        if not self._spark.catalog.tableExists(table):
            frame.writeTo(table).create()
            return
        found = self._spark.table(table).schema
        _check_fit(table, found, schema)
        ours = {name.lower() for name in struct.names}
        columns = [
            F.col(field.name) if field.name.lower() in ours else F.lit(None).cast(field.dataType).alias(field.name)
            for field in found.fields
        ]
        frame.select(*columns).write.insertInto(table)

    def keeps_properties(self, name: str) -> bool:
        return not self._is_in(name, _JDBC)

    def check_shared(self, name: str) -> None:
        spark = self._spark
        if shares_disks(str(spark.sparkContext.master)) or setting(spark, WAREHOUSE_SHARED):
            return
        catalog, (*namespace, _) = self._catalog(name)
        if catalog.name() != _SESSION_CATALOG:
            return
        location = str(spark.catalog.getDatabase(".".join(map(identifier, namespace))).locationUri)
        if is_elsewhere(location):
            return
        raise SqlmlError(
            "SQLML_NOT_SUPPORTED",
            f"The table {name} would be written to {plain(location)}, which is a folder of each host's own.",
            hint="Use a database whose location all hosts share, such as hdfs: or s3a: (spark.sql.warehouse.dir). If"
            f" this folder is shared, for example by NFS, have {WAREHOUSE_SHARED.key} set to true.",
        )

    def located(self, kind: str, name: str) -> str:
        catalog, parts = self._catalog(name)
        # `spark.catalog` finds views in the session's catalog only.
        found = self._found(kind, name) if catalog.name() == _SESSION_CATALOG else (catalog.name(), *parts)
        return ".".join(identifier(part) for part in found if part)

    def has(self, kind: str, name: str, mark: tuple[str, str] | None) -> bool | None:
        catalog = self._spark.catalog
        try:
            if kind == "function":
                there = catalog.functionExists(name)
                return there and (mark is None or mark[1] in (catalog.getFunction(name).description or ""))
            if mark is None:
                return bool(catalog.tableExists(name))
            rows = self._spark.sql(f"SHOW TBLPROPERTIES {name} ({quote_string(mark[0])})").collect()
            return any(row["value"] == mark[1] for row in rows)
        except PySparkException as error:
            # Else the catalog is unavailable, now or for this user.
            return False if error.getCondition() in _ABSENT else None

    def _found(self, kind: str, name: str) -> tuple[str, ...]:
        """Looks an object up: its catalog, namespace and name."""
        catalog = self._spark.catalog
        find: Any = catalog.getFunction if kind == "function" else catalog.getTable
        found = find(name)
        return (found.catalog, *(found.namespace or ()), found.name)

    def _is_in(self, name: str, kind: str) -> bool:
        """Whether the catalog that a table's name refers to is of a class."""
        return bool(is_instance_of(self._spark.sparkContext._gateway, self._catalog(name)[0], kind))

    def _catalog(self, name: str) -> tuple[Any, list[str]]:
        """The catalog that an object's name refers to, and the rest of the full name: namespace and name."""
        state: Any = self._spark._jsparkSession.sessionState()
        parsed = state.sqlParser().parseMultipartIdentifier(name)
        first, *rest = (str(parsed.apply(at)) for at in range(parsed.size()))
        catalogs = state.catalogManager()
        if rest and catalogs.isCatalogRegistered(first):
            return catalogs.catalog(first), rest
        namespace = [] if rest else list(catalogs.currentNamespace())
        return catalogs.currentCatalog(), [*namespace, first, *rest]

    # -- variables ---------------------------------------------------------------------------------------------------

    def declare(self, variable: str, kind: str) -> None:
        self._call.execute(f"DECLARE OR REPLACE VARIABLE {quote_identifier(variable)} {kind}")

    def assign(self, variable: str, expression: Piece) -> None:
        # Padded so that the expression keeps the user's line and column in Spark's errors.
        line, column = line_and_column(self._sql, expression.offset)
        command = f"SET VAR {quote_identifier(variable)} ="
        padded = f"{command}{chr(10) * (line - 1)}{' ' * column}" if line > 1 else f"{command} ".ljust(column)
        self._spark.sql(padded + expression.text)


def _written(plan: Any) -> int | None:
    """The rows that a plan has written: a metric of the writing node, which need not be the root."""
    metric = plan.metrics().get("numOutputRows")
    if metric.isDefined():
        return int(metric.get().value())
    children = plan.children()
    found = (_written(children.apply(at)) for at in range(children.size()))
    return next((rows for rows in found if rows is not None), None)


def _lacking(error: PySparkException) -> SqlmlError | None:
    """An error without Spark's plan, and with a hint, where a catalog lacks an ability; else None."""
    ability = (error.getCondition() or "").partition(f"{_NO_ABILITY}.")[2]
    kind = next((kind for kind in ("view", "function") if kind.upper() in ability), "")
    catalog = (error.getMessageParameters() or {}).get("plugin", "of that name")
    if unsupported := _NO_VIEWS.search(str(error)):
        kind, catalog = "view", unsupported["catalog"]
    if kind:
        return SqlmlError(
            "SQLML_NOT_SUPPORTED",
            f"The catalog {catalog} does not support {kind}s.",
            hint=f"Create it in {_SESSION_CATALOG}, which can refer to tables of other catalogs:"
            f" {_SESSION_CATALOG}.default.…. Or use CREATE TABLE or CREATE TEMPORARY {kind.upper()}.",
        )
    kind = str(error).partition(_NO_JDBC_TYPE)[2].strip(". ")
    if kind:
        return SqlmlError(
            "SQLML_NOT_SUPPORTED",
            f"The database of this catalog has no type for {kind}.",
            hint="Give the column of OUTPUT a type, such as `probability('yes') DOUBLE`. WITH PROVENANCE needs a"
            " catalog that supports structs.",
        )
    return None


def _check_fit(table: str, found: StructType, schema: str) -> None:
    """Raises SqlmlError where a table lacks a column of the schema, or has one of another type."""
    lowered = {field.name.lower(): field for field in found.fields}
    for field in StructType.fromDDL(schema).fields:
        there = lowered.get(field.name.lower())
        if there is None:
            raise SqlmlError(
                "SQLML_COLUMN_NOT_FOUND",
                f"The table {table} has no column {field.name}. A table of models has {schema}.",
                hint="Name a table that does not exist, and it will be created.",
            )
        if there.dataType != field.dataType:
            raise SqlmlError(
                "SQLML_TYPE_MISMATCH",
                f"The column {there.name} of {table} is {there.dataType.simpleString().upper()}, but in a table of"
                f" models it is {field.dataType.simpleString().upper()}.",
                hint="Name a table that does not exist, and it will be created.",
            )
