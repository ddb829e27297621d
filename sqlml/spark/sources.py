"""The sources that a query reads, found in Spark's plan by org.sqlml.catalog.QuerySources."""

from __future__ import annotations

import json
from typing import Any

from pyspark.sql import DataFrame

from sqlml.lineage import Source, sources


def read_by(frame: DataFrame) -> tuple[Source, ...]:
    """The distinct base tables, files and other sources of a DataFrame."""
    jvm: Any = frame.sparkSession.sparkContext._jvm
    return sources(json.loads(jvm.org.sqlml.catalog.QuerySources.describe(frame._jdf)))
