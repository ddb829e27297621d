"""A registry that a process may only read: it scores, and a change is refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


# Root may write everywhere, unless the process gives that up; what a file system refuses is the same for all.
_SCORE = """
import ctypes, os, sys
from sqlml.errors import SqlmlError
from sqlml.registry import Registry
if os.geteuid() == 0:
    libc = ctypes.CDLL(None, use_errno=True)
    none = (ctypes.c_uint32 * 6)()
    assert libc.capset((ctypes.c_uint32 * 2)(0x20080522, 0), none) == 0, ctypes.get_errno()
registry = Registry(sys.argv[1])
model = registry.load("read_only")
print(model.version, len(model.onnx()) > 0)
try:
    registry.drop("read_only")
except SqlmlError as error:
    print(error)
"""


def test_a_registry_that_can_only_be_read_scores(spark: SparkSession, registry_folder: Path, tmp_path: Path) -> None:
    spark.sql(
        "TRAIN MODEL read_only USING linear_regression TARGET y OPTIONS (test_fraction = 0) AS"
        " SELECT id AS x, 2.0D * id AS y FROM range(20)"
    )
    folder = tmp_path / "copied"
    folder.mkdir()
    shutil.copy(registry_folder / "registry.db", folder)
    (folder / "registry.db").chmod(0o444)
    folder.chmod(0o555)
    uri = f"sqlite:///{folder / 'registry.db'}"
    done = subprocess.run([sys.executable, "-c", _SCORE, uri], capture_output=True, text=True, timeout=300)
    folder.chmod(0o755)
    assert done.returncode == 0, done.stderr[-3000:]
    found, refused = done.stdout.splitlines()
    assert found == "1 True"
    assert "SQLML_REGISTRY_UNAVAILABLE" in refused and "readonly database" in refused
    assert not (folder / "registry.db.lock").exists()
    spark.sql("DROP MODEL read_only")
