"""Queries in the caller's Spark session: `sqlml.session.Queries`, implemented over it."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import BinaryType, CharType, StringType, VarcharType

from sqlml.errors import ParseError, SqlmlError, blank
from sqlml.lineage import Source
from sqlml.parser.references import TableReference
from sqlml.spark.files import too_large
from sqlml.spark.sources import read_by

_RESULT_LIMIT = "spark.driver.maxResultSize"
# The start of a variable, which Spark substitutes anywhere in a text, even in names.
_VARIABLE = "${"
_SUBSTITUTE = "spark.sql.variable.substitute"


class SparkQueries:
    """Implements `sqlml.session.Queries`, which documents the methods.

    Args:
        sql: the statement's whole text, to which offsets refer.
        query_offset: that of the statement's query, which Spark has parsed with the statement; None if it has none.
        call: the JVM's `org.sqlml.python.StatementExecution`.
    """

    def __init__(self, spark: SparkSession, sql: str, query_offset: int | None, call: Any) -> None:
        self._spark, self._sql, self._query_offset, self._call = spark, sql, query_offset, call

    def frame(self, query: str, offset: int = 0) -> DataFrame:
        if offset == self._query_offset:
            return DataFrame(self._call.query(), self._spark)
        own = self._sql.startswith(query, offset)
        # Padded with blanks up to the query's start, so that Spark reports the user's lines and columns.
        text = blank(self._sql[:offset]) + query if own else query
        return DataFrame(self._call.frame(text, own), self._spark)

    def generated(self, query: str) -> DataFrame:
        return run_generated(self._spark, query)

    def substituted(self, text: str) -> str:
        if _VARIABLE not in text:
            return text
        jvm: Any = self._spark.sparkContext._jvm
        return str(jvm.org.apache.spark.sql.internal.VariableSubstitution().substitute(text))

    def selected(self, frame: DataFrame, select_list: str) -> DataFrame:
        selected = self._call.select(frame._jdf, select_list)
        if selected is None:
            offset = len(select_list) - len(select_list.lstrip())
            raise ParseError("Expected expressions separated by commas.", offset=offset)
        return DataFrame(selected, self._spark)

    def collect(self, frame: DataFrame) -> pa.Table:
        try:
            return frame.toArrow()
        except Exception as error:
            if _RESULT_LIMIT not in str(error):
                raise
            limit = self._spark.sparkContext._conf.get(_RESULT_LIMIT, "1g")
            raise SqlmlError(
                "SQLML_TOO_MANY_ROWS",
                f"The training rows have more than {limit}, which is the limit of what this driver collects.",
                hint="Train with an MLlib estimator on the cluster, train on fewer rows or columns, or have"
                f" {_RESULT_LIMIT} raised.",
            ) from error

    def value(self, query: str, offset: int, most_bytes: int) -> bytes | str:
        return only_value(self.frame(query, offset), most_bytes)

    def tables(self, query: str) -> list[TableReference]:
        return [
            TableReference(tuple(one["parts"]), one["start"], one["end"])
            for one in json.loads(self._call.tables(query))
        ]

    def sources(self, frame: DataFrame) -> tuple[Source, ...]:
        return read_by(frame)


def run_generated(spark: SparkSession, text: str) -> DataFrame:
    """Runs a text that sqlml wrote through `spark.sql`, with `${…}` in names kept as it is.

    Variable substitution is switched off only while such a text runs: a view stores the session's settings and would
    be read under them.
    """
    if _VARIABLE not in text:
        return spark.sql(text)
    before = spark.conf.get(_SUBSTITUTE)
    spark.conf.set(_SUBSTITUTE, "false")
    try:
        return spark.sql(text)
    finally:
        spark.conf.set(_SUBSTITUTE, str(before))


def only_value(frame: DataFrame, most_bytes: int) -> bytes | str:
    """The value of a DataFrame with one row and one column; see `sqlml.session.Queries.value`."""
    fields = frame.schema.fields
    if len(fields) != 1 or not isinstance(fields[0].dataType, (BinaryType, StringType, VarcharType, CharType)):
        shown = ", ".join(f"{field.name} {field.dataType.simpleString()}" for field in fields[:6])
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"The query returns {shown}, but a model must be a single column: BINARY, or a STRING in hexadecimal.",
        )
    # Hexadecimal text has two digits per byte and perhaps 0x before them.
    most = most_bytes if isinstance(fields[0].dataType, BinaryType) else 2 * most_bytes + 2
    size = F.octet_length("value")
    rows = frame.toDF("value").select(size, F.when(size <= most, F.col("value"))).limit(2).collect()
    if len(rows) != 1:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"The query returns {'no row' if not rows else 'more than one row'}, but a model must be a single row.",
            hint="Add a WHERE clause that selects it." if rows else "",
        )
    length, value = rows[0]
    if length is None:
        raise SqlmlError("SQLML_OPTION_INVALID", "The query returns NULL, but a model must be BINARY or a STRING.")
    if value is None:
        raise too_large("the value that the query returns", length, most)
    return value if isinstance(value, str) else bytes(value)
