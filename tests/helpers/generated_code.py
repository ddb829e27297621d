"""The Java that Spark generates for a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def generated(frame: DataFrame) -> str:
    """Of each stage, with what Spark says of its methods. An adaptive plan has none before it runs."""
    plan = frame._jdf.queryExecution().executedPlan()
    jvm = frame.sparkSession._jvm
    assert jvm is not None
    return str(jvm.org.apache.spark.sql.execution.debug.package.codegenString(plan))
