"""The package that executors run: sqlml's own modules as a zip file, broadcast once per application.

So executors need no sqlml of their own, and run the driver's version. It is not used with a local master: there the
workers run in the driver's Python environment.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import threading
import zipfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark import cloudpickle

import sqlml
from sqlml.spark import executor_bootstrap
from sqlml.spark.executor_bootstrap import Bootstrap

if TYPE_CHECKING:
    from pyspark import Broadcast
    from pyspark.sql import SparkSession

# What no executor runs: pages, commands, Java.
_LEFT_OUT = frozenset({"cli", "doctor", "studio", "jars", "java", "sql", "__pycache__"})
_DATE = (1980, 1, 1, 0, 0, 0)

_lock = threading.Lock()
_sent: dict[str, Broadcast[bytes]] = {}


def shipped(spark: SparkSession, module: str, name: str, parts: dict[str, Any], others: dict[str, Any]) -> Bootstrap:
    """Returns a function that executors run without sqlml of their own.

    Args:
        module, name: a class of sqlml whose instances are called.
        parts: its arguments that contain broadcasts, and nothing of sqlml's.
        others: its other arguments.
    """
    content = package()
    digest = hashlib.sha256(content).hexdigest()[:16]
    application = spark.sparkContext.applicationId
    with _lock:
        if application not in _sent:
            cloudpickle.register_pickle_by_value(executor_bootstrap)
            _sent[application] = spark.sparkContext.broadcast(content)
        sent = _sent[application]
    return Bootstrap(sent, digest, module, name, parts, pickle.dumps(others))


@cache
def package() -> bytes:
    """Returns the zip file; the same modules give the same bytes."""
    root = Path(sqlml.__file__).parent
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.rglob("*.py")):
            relative = path.relative_to(root)
            if _LEFT_OUT.isdisjoint(relative.parts):
                archive.writestr(
                    zipfile.ZipInfo(f"sqlml/{relative.as_posix()}", _DATE), path.read_bytes(), zipfile.ZIP_DEFLATED
                )
    return content.getvalue()
