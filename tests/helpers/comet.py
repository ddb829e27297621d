"""Apache DataFusion Comet for the line of Spark that it is tested on, as a user adds it: `spark.plugins`.

A JVM has its plugins from its start, so its tests run in a process of their own, which asks for it by the environment
variable `SQLML_TEST_COMET`; see `helpers.spark_matrix`.
"""

from __future__ import annotations

import os

ASKED = "SQLML_TEST_COMET"
LINES = ("4.1",)
_PACKAGE = "org.apache.datafusion:comet-spark-spark4.1_2.13:1.2.0"


def session_settings() -> dict[str, str]:
    """The settings of a session with Comet; none where it was not asked for."""
    if not os.environ.get(ASKED):
        return {}
    return {
        "spark.jars.packages": _PACKAGE,
        "spark.plugins": "org.apache.spark.CometPlugin",
        "spark.shuffle.manager": "org.apache.spark.sql.comet.execution.shuffle.CometShuffleManager",
        "spark.memory.offHeap.enabled": "true",
        "spark.memory.offHeap.size": "1g",
        "spark.ui.showConsoleProgress": "false",
    }
