"""Tables, views and functions in Spark's catalogs: creating, replacing and looking them up for ENRICH TABLE."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from py4j.java_gateway import is_instance_of
from pyspark.errors import AnalysisException, IllegalArgumentException, ParseException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from sqlml.errors import SqlmlError
from sqlml.parser.generator import identifier, quote_string

# The start of a variable, which Spark substitutes anywhere in a text, even in names.
VARIABLE = "${"
_SUBSTITUTE = "spark.sql.variable.substitute"
_NO_REPLACE = "UNSUPPORTED_FEATURE.TABLE_OPERATION"
_NO_ABILITY = "MISSING_CATALOG_ABILITY"
# An error of Spark's without a condition is recognized by its message.
_NO_JDBC_TYPE = "Can't get JDBC type for"
_SESSION_CATALOG = "spark_catalog"
_STAGING = "org.apache.spark.sql.connector.catalog.StagingTableCatalog"
_JDBC = "org.apache.spark.sql.execution.datasources.v2.jdbc.JDBCTableCatalog"


def execute(spark: SparkSession, command: str) -> int | None:
    """Runs a command; see `sqlml.session.Session.execute`."""
    try:
        execution: Any = as_written(spark, command)._jdf.queryExecution()
    except (AnalysisException, IllegalArgumentException) as error:
        raise _lacking(error) or error from None
    done = execution.commandExecuted()
    if done.getClass().getSimpleName() != "CommandResult":
        return None
    written = _written(done.commandPhysicalPlan())
    return None if written is None else int(written)


def as_written(spark: SparkSession, text: str) -> DataFrame:
    """Runs a generated text through `spark.sql`, with `${…}` in names kept as it is.

    Variable substitution is switched off only while such a text runs: a view stores the session's settings and would
    be read under them.
    """
    if VARIABLE not in text:
        return spark.sql(text)
    before = spark.conf.get(_SUBSTITUTE)
    spark.conf.set(_SUBSTITUTE, "false")
    try:
        return spark.sql(text)
    finally:
        spark.conf.set(_SUBSTITUTE, str(before))


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
    if kind:
        catalog = (error.getMessageParameters() or {}).get("plugin", "of that name")
        return SqlmlError(
            "SQLML_NOT_SUPPORTED",
            f"The catalog {catalog} keeps no {kind}s.",
            hint=f"{_SESSION_CATALOG} does, also over another catalog's tables: name it {_SESSION_CATALOG}.default.…;"
            f" or CREATE TABLE, or CREATE TEMPORARY {kind.upper()}.",
        )
    kind = str(error).partition(_NO_JDBC_TYPE)[2].strip(". ")
    if kind:
        return SqlmlError(
            "SQLML_NOT_SUPPORTED",
            f"The database behind this catalog has no type for {kind}.",
            hint="A column of OUTPUT takes a type, such as `probability('yes') DOUBLE`; WITH PROVENANCE needs a catalog"
            " that keeps structs.",
        )
    return None


def replace_table(spark: SparkSession, name: str, command: Callable[[str, bool], str]) -> int | None:
    """Replaces a table, or creates it; see `sqlml.session.Session.replace_table`.

    Atomically where the catalog can stage tables. Otherwise by a plain CREATE where there is no table yet, or else by a
    new table beside the old one, a drop and a rename.
    """
    # Without staging, Spark's own CREATE OR REPLACE drops the old table before the first row of the new one is written.
    if is_instance_of(_gateway(spark), _catalog(spark, name), _STAGING):
        try:
            return execute(spark, command(name, True))
        except AnalysisException as error:
            if error.getCondition() != _NO_REPLACE:
                raise
    if not spark.catalog.tableExists(name):
        return execute(spark, command(name, False))
    # Under an unused name beside the old table, which stays untouched if the query fails.
    new = f"{name.removesuffix('`')}__{secrets.token_hex(4)}{'`' * name.endswith('`')}"
    rows = execute(spark, command(new, False))
    try:
        # RENAME TO takes a name without the catalog.
        _, *inside = _found(spark, "table", name)
        spark.sql(f"DROP TABLE {name}")
    except PySparkException:
        spark.sql(f"DROP TABLE IF EXISTS {new}")
        raise
    try:
        spark.sql(f"ALTER TABLE {new} RENAME TO {'.'.join(map(identifier, inside))}")
    except PySparkException as error:
        raise SqlmlError(
            "SQLML_ENGINE_FAILED",
            f"The new table is complete as {new}, and Spark does not give it the name of the old one, which is gone:"
            f" {' '.join(str(error).split())[:200]}",
            hint=f"ALTER TABLE {new} RENAME TO {name}.",
        ) from error
    return rows


def located(spark: SparkSession, kind: str, name: str) -> str:
    """See `sqlml.session.Session.located`."""
    return ".".join(identifier(part) for part in _found(spark, kind, name) if part)


def _found(spark: SparkSession, kind: str, name: str) -> tuple[str, ...]:
    """Looks an object up: its catalog, namespace and name."""
    find: Any = spark.catalog.getFunction if kind == "function" else spark.catalog.getTable
    found = find(name)
    return (found.catalog, *(found.namespace or ()), found.name)


def is_database(spark: SparkSession, name: str) -> bool:
    """Whether a table's catalog is a JDBC database."""
    return bool(is_instance_of(_gateway(spark), _catalog(spark, name), _JDBC))


def _catalog(spark: SparkSession, name: str) -> Any:
    """The catalog that a table's name refers to."""
    state: Any = spark._jsparkSession.sessionState()
    parts = state.sqlParser().parseMultipartIdentifier(name)
    catalogs = state.catalogManager()
    first = parts.apply(0)
    named = parts.size() > 1 and catalogs.isCatalogRegistered(first)
    return catalogs.catalog(first) if named else catalogs.currentCatalog()


def _gateway(spark: SparkSession) -> Any:
    return spark.sparkContext._gateway


def has(spark: SparkSession, kind: str, name: str, mark: tuple[str, str] | None) -> bool | None:
    """See `sqlml.session.Session.has`."""
    try:
        if kind == "function":
            there = spark.catalog.functionExists(name)
            return there and (mark is None or mark[1] in (spark.catalog.getFunction(name).description or ""))
        if not spark.catalog.tableExists(name):
            return False
        if mark is None:
            return True
        rows = spark.sql(f"SHOW TBLPROPERTIES {name} ({quote_string(mark[0])})").collect()
        return any(row["value"] == mark[1] for row in rows)
    except PySparkException:
        return None  # the catalog is unavailable, now or for this user


def type_of(text: str, offset: int) -> str:
    """See `sqlml.session.Session.type`."""
    try:
        return StructType.fromDDL(f"a {text}").fields[0].dataType.simpleString()
    except (ParseException, IndexError):
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"{text!r} is no type.",
            hint="Types are those of Spark SQL, such as DOUBLE, STRING, DECIMAL(10, 2); a new name stands after AS.",
            offset=offset,
        ) from None
