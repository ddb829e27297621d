"""Single values through Spark: the one value of a query, the bytes of one file, and a row appended to a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import BinaryType, CharType, StringType, StructType, VarcharType

from sqlml.errors import SqlmlError


def only(frame: DataFrame, most_bytes: int) -> bytes | str:
    """The value of a DataFrame with one row and one column; see `sqlml.session.Session.value`."""
    fields = frame.schema.fields
    if len(fields) != 1 or not isinstance(fields[0].dataType, (BinaryType, StringType, VarcharType, CharType)):
        shown = ", ".join(f"{field.name} {field.dataType.simpleString()}" for field in fields[:6])
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"The query returns {shown}, and a model is one column, BINARY or a STRING in hexadecimal.",
        )
    # Hexadecimal text has two digits per byte and perhaps 0x before them.
    most = most_bytes if isinstance(fields[0].dataType, BinaryType) else 2 * most_bytes + 2
    size = F.octet_length("value")
    rows = frame.toDF("value").select(size, F.when(size <= most, F.col("value"))).limit(2).collect()
    if len(rows) != 1:
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"The query returns {'no row' if not rows else 'more than one row'}, and a model is one.",
            hint="Add a WHERE that finds it." if rows else "",
        )
    length, value = rows[0]
    if length is None:
        raise SqlmlError("SQLML_OPTION_INVALID", "The query returns NULL, and a model is BINARY or a STRING.")
    if value is None:
        raise _too_large("the value that the query returns", length, most)
    return value if isinstance(value, str) else bytes(value)


def file(spark: SparkSession, uri: str, most_bytes: int) -> bytes:
    """Reads a file through Spark; see `sqlml.session.Session.read_elsewhere`."""
    try:
        files = spark.read.format("binaryFile").load(uri)
        sizes = files.select("length").limit(2).collect()
        if len(sizes) == 1 and sizes[0][0] <= most_bytes:
            return bytes(files.select("content").first()[0])
    except AnalysisException as error:
        raise SqlmlError("SQLML_PATH_NOT_FOUND", f"{uri!r} cannot be read: Spark finds no such file.") from error
    if len(sizes) != 1:
        raise SqlmlError("SQLML_PATH_NOT_FOUND", f"{uri!r} is not one file.")
    raise _too_large(repr(uri), sizes[0][0], most_bytes)


def append(spark: SparkSession, table: str, schema: str, row: Mapping[str, Any]) -> None:
    """Appends a row, and creates the table where it is missing; see `sqlml.session.Session.append`."""
    struct = StructType.fromDDL(schema)
    frame = spark.createDataFrame([tuple(row[name] for name in struct.names)], struct)
    if not spark.catalog.tableExists(table):
        frame.writeTo(table).create()
        return
    found = spark.table(table).schema
    lowered = {field.name.lower(): field for field in found.fields}
    for field in struct.fields:
        there = lowered.get(field.name.lower())
        if there is None:
            raise SqlmlError(
                "SQLML_COLUMN_NOT_FOUND",
                f"The table {table} has no column {field.name}, and a table of models has {schema}.",
                hint="Name a table that is not there yet, and it is created.",
            )
        if there.dataType != field.dataType:
            raise SqlmlError(
                "SQLML_TYPE_MISMATCH",
                f"The column {there.name} of {table} is {there.dataType.simpleString().upper()}, and a table of models"
                f" has {field.dataType.simpleString().upper()} there.",
                hint="Name a table that is not there yet, and it is created.",
            )
    ours = {name.lower() for name in struct.names}
    columns = [
        F.col(field.name) if field.name.lower() in ours else F.lit(None).cast(field.dataType).alias(field.name)
        for field in found.fields
    ]
    frame.select(*columns).write.insertInto(table)


def _too_large(what: str, size: int, most: int) -> SqlmlError:
    return SqlmlError("SQLML_MODEL_REFUSED", f"The model is refused: {what} has {size} bytes, and the limit is {most}.")
