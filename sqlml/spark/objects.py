"""Tables, views and functions of Spark's: made, replaced, found again."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from pyspark.errors import AnalysisException, ParseException, PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from sqlml.errors import SqlmlError
from sqlml.printing import identifier, quote_string

_NO_REPLACE = "UNSUPPORTED_FEATURE.TABLE_OPERATION"


def execute(spark: SparkSession, command: str) -> int | None:
    """Runs a command; see `sqlml.session.Session.execute`."""
    execution: Any = spark.sql(command)._jdf.queryExecution()
    done = execution.commandExecuted()
    if done.getClass().getSimpleName() != "CommandResult":
        return None
    written = _written(done.commandPhysicalPlan())
    return None if written is None else int(written)


def _written(plan: Any) -> int | None:
    """The metric of the node that writes, which need not be the topmost."""
    metric = plan.metrics().get("numOutputRows")
    if metric.isDefined():
        return int(metric.get().value())
    children = plan.children()
    found = (_written(children.apply(at)) for at in range(children.size()))
    return next((rows for rows in found if rows is not None), None)


def replace_table(spark: SparkSession, name: str, command: Callable[[str, bool], str]) -> int | None:
    """See `sqlml.session.Session.replace_table`."""
    try:
        return execute(spark, command(name, True))
    except AnalysisException as error:
        if error.getCondition() != _NO_REPLACE:
            raise
    if not spark.catalog.tableExists(name):
        return execute(spark, command(name, False))
    # Beside the old one, under a name that nobody has; what fails before it is whole leaves the old one alone.
    new = f"{name.removesuffix('`')}__{secrets.token_hex(4)}{'`' * name.endswith('`')}"
    rows = execute(spark, command(new, False))
    try:
        spark.sql(f"DROP TABLE {name}")
    except PySparkException:
        spark.sql(f"DROP TABLE IF EXISTS {new}")
        raise
    try:
        spark.sql(f"ALTER TABLE {new} RENAME TO {name}")
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
    find: Any = spark.catalog.getFunction if kind == "function" else spark.catalog.getTable
    found = find(name)
    return ".".join(identifier(part) for part in (found.catalog, *(found.namespace or ()), found.name) if part)


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
        return None  # a catalog that is not there now, or not for this user


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
