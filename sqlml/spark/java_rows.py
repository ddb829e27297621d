"""Rows of Python as rows of the JVM: the results of statements and of the registry's tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import to_arrow_type
from pyspark.sql.types import DataType, MapType, StructType, TimestampType


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
