"""Spark: the one of this Python, others that stand in its way, the jar, and the Python of the executors."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import sqlml
from sqlml.doctor.finding import Finding, Setup, failed, ok, output_of, warning

_SUPPORTED = (4,)
_INSTALL = "pip install 'pyspark>=4,<5'"
# What scoring on an executor imports.
EXECUTOR_MODULES = ("numpy", "pyarrow", "onnxruntime")
_PROBE = """
import importlib, json, sys
found = {"python": ".".join(map(str, sys.version_info[:2]))}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.import_module(name).__version__
    except Exception as error:
        found[name] = f"!{type(error).__name__}: {error}"
print(json.dumps(found))
"""


def pyspark(setup: Setup) -> Iterator[Finding]:
    version = _pyspark_version()
    if version is None:
        yield failed("This Python has no pyspark.", _INSTALL)
    elif int(version.split(".")[0]) not in _SUPPORTED:
        yield failed(f"pyspark {version} is not supported.", _INSTALL)
    else:
        yield ok(version)


def spark_home(setup: Setup) -> Iterator[Finding]:
    """A SPARK_HOME that names another Spark: PySpark would start that one."""
    named = setup.environment.get("SPARK_HOME")
    package = _package()
    if not named:
        yield ok("not set; the Spark of this Python is used")
        return
    if package is not None and Path(named).resolve() == package.resolve():
        yield ok(f"the Spark of this Python ({named})")
        return
    remedy = f"Unset SPARK_HOME{f', or set it to {package}' if package else ''}."
    version = _version_of(Path(named))
    own = _pyspark_version()
    if version is None:
        yield failed(f"There is no Spark at {named}.", remedy)
    elif own is not None and version != own:
        yield failed(f"{named} is Spark {version}, but the pyspark of this Python is {own}.", remedy)
    else:
        yield ok(f"Spark {version} at {named}")


def programs(setup: Setup) -> Iterator[Finding]:
    """A spark-sql or spark-submit that the shell finds before this Python's."""
    search = setup.environment.get("PATH", "")
    package = _package()
    own = {Path(sys.executable).parent.resolve()} | ({(package / "bin").resolve()} if package else set())
    if setup.environment.get("SPARK_HOME"):
        own.add((Path(setup.environment["SPARK_HOME"]) / "bin").resolve())
    strays = False
    for name in ("spark-sql", "spark-submit"):
        found = shutil.which(name, path=search)
        if found is not None and Path(found).parent.resolve() not in own:
            strays = True
            yield warning(
                f"{name} on the PATH is {found}, which belongs to another Spark.",
                f"Put {Path(sys.executable).parent} first on the PATH, or use sqlml shell.",
            )
    if not strays:
        yield ok("no other Spark")


def jar(setup: Setup) -> Iterator[Finding]:
    """The Java part, built from the sources of this version."""
    rebuild = "Install the package again (pip install …), or in a source tree: python hatch_build.py"
    path = Path(sqlml.__file__).parent / "spark" / "jars" / "sqlml.jar"
    if not path.is_file():
        yield failed(f"{path} is missing.", rebuild)
        return
    try:
        with zipfile.ZipFile(path) as content:
            manifest = content.read("META-INF/MANIFEST.MF").decode()
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        yield failed(f"{path} is damaged: {error}.", rebuild)
        return
    found = re.search(r"^Implementation-Version: *(\S+)", manifest, re.MULTILINE)
    version = found.group(1) if found else "none"
    if version != sqlml.__version__:
        yield failed(f"The jar has version {version}, but the package has {sqlml.__version__}.", rebuild)
    else:
        yield ok(f"{version} ({path})")


def executors(setup: Setup) -> Iterator[Finding]:
    """The Python that executors on this machine run, and whether it can score."""
    named = setup.settings.get("spark.pyspark.python") or setup.environment.get("PYSPARK_PYTHON")
    archives = [setup.settings.get(key, "") for key in ("spark.archives", "spark.yarn.dist.archives")]
    aliases = [alias for entry in ",".join(archives).split(",") if (alias := entry.partition("#")[2].strip())]
    if named and any(named.removeprefix("./").startswith(f"{alias}/") for alias in aliases):
        yield ok(f"{named}, in an archive that goes to the executors")
        return
    program = shutil.which(named or sys.executable, path=setup.environment.get("PATH", ""))
    if program is None:
        yield failed(
            f"The executors are configured to run {named}, but there is no such program here.",
            f"Set spark.pyspark.python or PYSPARK_PYTHON to a Python that has {', '.join(EXECUTOR_MODULES)}.",
        )
        return
    remedy = f"Install the driver's versions: {program} -m pip install {' '.join(EXECUTOR_MODULES)}"
    try:
        text = output_of([program, "-c", _PROBE, *EXECUTOR_MODULES], setup.environment, seconds=60)
        there = json.loads(text[text.index("{") : text.rindex("}") + 1])
    except (OSError, ValueError) as error:
        yield failed(f"{program} cannot be run: {error}.", "Set spark.pyspark.python or PYSPARK_PYTHON to a Python.")
        return
    here = {"python": ".".join(map(str, sys.version_info[:2]))}
    good = True
    for name in ("python", *EXECUTOR_MODULES):
        own = here.get(name) or installed(name)
        if there[name].startswith("!"):
            good = False
            yield failed(f"{program} cannot import {name}: {there[name][1:]}", remedy)
        elif own is not None and there[name] != own:
            good = False
            # Python's own versions must agree, because functions are sent to it; of packages older ones do.
            differs = failed if name == "python" else warning
            yield differs(f"{program} has {name} {there[name]}, but the driver has {own}.", remedy)
    if good:
        where = "" if setup.settings.get("spark.master", "local").startswith("local") else " on this machine"
        yield ok(f"{program}{where} has {', '.join(EXECUTOR_MODULES)} in the driver's versions")


def installed(name: str) -> str | None:
    """The version of a package of this Python; None if it is not there."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _package() -> Path | None:
    """The folder of this Python's pyspark, without importing it."""
    found = importlib.util.find_spec("pyspark")
    return Path(found.origin).parent if found is not None and found.origin is not None else None


def _pyspark_version() -> str | None:
    package = _package()
    return installed("pyspark") or (_version_of(package) if package else None)


def _version_of(home: Path) -> str | None:
    """A Spark's version, by the name of its core jar."""
    for path in (home / "jars").glob("spark-core_*.jar"):
        return path.stem.partition("-core_")[2].partition("-")[2]
    return None
