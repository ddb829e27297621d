"""Expressions, types and names in the caller's Spark session: `sqlml.session.Expressions`, implemented over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pyspark.errors import ParseException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from sqlml.errors import SqlmlError
from sqlml.parser.cursor import Piece
from sqlml.spark import texts, transforms

if TYPE_CHECKING:
    from sqlml.signature import Feature


class SparkExpressions:
    """Implements `sqlml.session.Expressions`, which documents the methods.

    Args:
        sql: the statement's whole text, to which offsets refer.
    """

    def __init__(self, spark: SparkSession, sql: str) -> None:
        self._spark, self._sql = spark, sql

    @property
    def database(self) -> str:
        catalog = self._spark.catalog
        return f"{catalog.currentCatalog()}.{catalog.currentDatabase()}"

    def conf(self) -> dict[str, str]:
        return transforms.conf(self._spark)

    def type(self, text: str, offset: int) -> str:
        try:
            return StructType.fromDDL(f"a {text}").fields[0].dataType.simpleString()
        except (ParseException, IndexError):
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"{text!r} is not a type.",
                hint="Use a type of Spark SQL, such as DOUBLE, STRING or DECIMAL(10, 2). A new name must follow AS.",
                offset=offset,
            ) from None

    def transformed(
        self, frame: DataFrame, select_list: Piece, kept: Sequence[str]
    ) -> tuple[DataFrame, Mapping[str, tuple[str, ...]]]:
        return transforms.transformed(self._spark, self._sql, frame, select_list, kept)

    def canonical_texts(self, frame: DataFrame, columns: Sequence[Feature]) -> DataFrame:
        return texts.canonical(self._spark, frame, columns)
