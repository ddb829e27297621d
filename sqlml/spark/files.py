"""Files that a statement names: `sqlml.session.Files`, implemented over Spark."""

from __future__ import annotations

import os

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from sqlml.errors import SqlmlError
from sqlml.settings import ALLOWED_PATHS
from sqlml.spark.applications import Applications, setting
from sqlml.system.allowed_paths import AllowedPaths


class SparkFiles:
    """Implements `sqlml.session.Files`, which documents the methods."""

    def __init__(self, spark: SparkSession, applications: Applications) -> None:
        self._spark, self._applications = spark, applications

    @property
    def allowed(self) -> AllowedPaths:
        # Both settings are static: no client can change them.
        entries = setting(self._spark, ALLOWED_PATHS)
        warehouse = self._spark.conf.get("spark.sql.warehouse.dir") or ""
        allowed = AllowedPaths.of(entries or [entry for entry in (warehouse, os.getcwd()) if entry])
        # The registry's own files are read only through the registry.
        return allowed.without(self._applications.registry(self._spark).places())

    def read_elsewhere(self, uri: str, most_bytes: int) -> bytes:
        try:
            files = self._spark.read.format("binaryFile").load(uri)
            sizes = files.select("length").limit(2).collect()
            if len(sizes) == 1 and sizes[0][0] <= most_bytes:
                return bytes(files.select("content").first()[0])
        except AnalysisException as error:
            raise SqlmlError(
                "SQLML_PATH_NOT_FOUND", f"{uri!r} cannot be read, because Spark does not find the file."
            ) from error
        if len(sizes) != 1:
            raise SqlmlError("SQLML_PATH_NOT_FOUND", f"{uri!r} is not a single file.")
        raise too_large(repr(uri), sizes[0][0], most_bytes)


def too_large(what: str, size: int, most: int) -> SqlmlError:
    """The error for a model with more bytes than may be read."""
    return SqlmlError("SQLML_MODEL_REFUSED", f"The model is refused: {what} has {size} bytes, but the limit is {most}.")
