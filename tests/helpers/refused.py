"""What a statement says that is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def refused(spark: SparkSession, sql: str) -> str:
    """The text of the error in which a statement ends."""
    from pyspark.errors import PySparkException

    with pytest.raises(PySparkException) as caught:
        spark.sql(sql).collect()
    return str(caught.value)
