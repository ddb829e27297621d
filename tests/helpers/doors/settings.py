"""The Spark settings every door is started with, so that answers differ only where doors do."""

from __future__ import annotations

from pathlib import Path


def session_settings(folder: Path, registry_folder: Path, master: str = "local[2]") -> dict[str, str]:
    """Settings of one Spark application that keeps everything it writes below two temporary folders.

    Args:
        folder: for the warehouse, the Hive metastore and scratch files; one application a folder, Derby insists.
        registry_folder: where the model registry is; several applications may share one.
    """
    return {
        "spark.master": master,
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": f"-Duser.timezone=UTC -Dderby.system.home={folder}",
        "spark.executorEnv.TZ": "UTC",
        "spark.sql.session.timeZone": "UTC",
        # Tiny tables: many partitions would only measure the scheduler.
        "spark.sql.shuffle.partitions": "2",
        # Java that does not compile is an error: Spark would go another way, and nobody would see it.
        "spark.sql.codegen.fallback": "false",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        # A cluster of the tests is on one machine.
        "spark.sqlml.warehouse.shared": "true",
        "spark.local.dir": str(folder / "scratch"),
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={folder / 'metastore'};create=true",
        # Most trainings are not there to be looked at; tests/spark/training/test_plots_of_trainings.py draws.
        "spark.sqlml.train.plots": "false",
        "spark.sqlml.registry.uri": f"sqlite:///{registry_folder / 'registry.db'}",
    }


def launch_settings(folder: Path, registry_folder: Path, master: str = "local[2]") -> dict[str, str]:
    """The same with what sqlml itself needs, for a program started from the command line."""
    from sqlml.spark.launch import settings

    return {**settings(), **session_settings(folder, registry_folder, master)}
