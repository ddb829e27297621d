"""Delta Lake and Iceberg for the lines of Spark that they are released for, as a user adds them: `spark.jars.packages`.

A JVM has the jars from its start, so tests of formats run in a process of their own, which asks for them by the
environment variable `SQLML_TEST_TABLE_FORMATS`; see tests/spark/test_spark_versions.py.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ASKED = "SQLML_TEST_TABLE_FORMATS"


@dataclass(frozen=True)
class Release:
    """What one line of Spark has: coordinates on Maven Central, None where nothing is released for it."""

    delta: str | None
    iceberg: str | None


RELEASES = {
    "4.0": Release("io.delta:delta-spark_4.0_2.13:4.4.0", None),
    "4.1": Release("io.delta:delta-spark_4.1_2.13:4.4.0", "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.12.0"),
    "4.2": Release("io.delta:delta-spark_4.2_2.13:4.4.0", None),
}
# The database of Iceberg's JDBC catalog, which has views.
_SQLITE = "org.xerial:sqlite-jdbc:3.50.3.0"


def release() -> Release:
    """The formats of the Spark that runs the tests."""
    import pyspark

    return RELEASES.get(".".join(pyspark.__version__.split(".")[:2]), Release(None, None))


def session_settings(folder: Path) -> dict[str, str]:
    """The settings of a session with the formats; none where they were not asked for.

    The catalogs: `spark_catalog` has Delta's tables, `ice` is Iceberg's with views, `had` is Iceberg's without.
    """
    if not os.environ.get(ASKED):
        return {}
    found = release()
    packages, extensions, settings = [], [], {}
    if found.delta:
        packages.append(found.delta)
        extensions.append("io.delta.sql.DeltaSparkSessionExtension")
        settings["spark.sql.catalog.spark_catalog"] = "org.apache.spark.sql.delta.catalog.DeltaCatalog"
    if found.iceberg:
        packages += [found.iceberg, _SQLITE]
        extensions.append("org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
        settings |= {
            "spark.sql.catalog.ice": "org.apache.iceberg.spark.SparkCatalog",
            "spark.sql.catalog.ice.type": "jdbc",
            "spark.sql.catalog.ice.uri": f"jdbc:sqlite:{folder / 'iceberg.db'}",
            "spark.sql.catalog.ice.jdbc.schema-version": "V1",
            "spark.sql.catalog.ice.warehouse": str(folder / "iceberg"),
            "spark.sql.catalog.had": "org.apache.iceberg.spark.SparkCatalog",
            "spark.sql.catalog.had.type": "hadoop",
            "spark.sql.catalog.had.warehouse": str(folder / "hadoop"),
        }
    return {
        "spark.jars.packages": ",".join(packages),
        "spark.sql.extensions": ",".join(extensions),
        "spark.log.level": "ERROR",
        "spark.ui.showConsoleProgress": "false",
        **settings,
    }
