"""What can be wrong around sqlml on a machine, and what to do about it.

`CHECKS` is the one table. A check looks at one thing and returns what it found; what fails says how to mend it. What a
check writes, to learn whether it may, it deletes again. One starts Spark: that of a cluster, in a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlml.doctor.cluster import cluster
from sqlml.doctor.finding import Finding, Setup
from sqlml.doctor.java import java, javac
from sqlml.doctor.packages import libraries, pandas, python
from sqlml.doctor.places import audit, folder, ports, store
from sqlml.doctor.spark import executors, jar, programs, pyspark, spark_home

CHECKS: tuple[tuple[str, Callable[[Setup], Iterator[Finding]]], ...] = (
    ("Python", python),
    ("Java", java),
    ("JDK", javac),
    ("PySpark", pyspark),
    ("SPARK_HOME", spark_home),
    ("Spark on the PATH", programs),
    ("jar", jar),
    ("libraries", libraries),
    ("pandas", pandas),
    ("executors' Python", executors),
    ("cluster", cluster),
    ("folder", folder),
    ("model registry", store),
    ("audit log", audit),
    ("ports", ports),
)


def examine(setup: Setup) -> Iterator[tuple[str, Finding]]:
    """Every finding of every check, in order, as it is found."""
    for name, check in CHECKS:
        for finding in check(setup):
            yield name, finding


__all__ = ["CHECKS", "Finding", "Setup", "examine"]
