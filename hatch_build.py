"""Compiles the Java side into sqlml/spark/jars/sqlml.jar: a hook of the package's build, and a command.

python hatch_build.py         # in a source tree, after a change of a Java file or of the statements' first words
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent
SOURCES = ROOT / "sqlml" / "spark" / "java"
JAR = ROOT / "sqlml" / "spark" / "jars" / "sqlml.jar"
JAVA_RELEASE = "17"
# The time every entry of the jar carries, so that equal sources give equal bytes; the oldest a zip can say.
EPOCH = (1980, 1, 1, 0, 0, 0)


def build_jar(jar: Path = JAR) -> Path:
    """Compiles and packs.

    Raises:
        SystemExit: there is no JDK, or javac reports an error; with a message that says which.
    """
    with tempfile.TemporaryDirectory(prefix="sqlml-javac-") as folder:
        classes = Path(folder)
        sources = sorted(map(str, SOURCES.rglob("*.java")))
        command = [_javac(), "--release", JAVA_RELEASE, "-encoding", "UTF-8", "-nowarn", "-Xlint:-options"]
        result = subprocess.run(
            [*command, "-d", folder, "-cp", str(_spark_jars() / "*"), *sources],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise SystemExit(f"The Java sources of sqlml do not compile:\n{result.stdout}{result.stderr}")
        for name, lines in _tables().items():
            (classes / "org" / "sqlml" / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        jar.parent.mkdir(parents=True, exist_ok=True)
        # Replaced in one step: a JVM that has the old jar open would crash if its bytes changed.
        packed = jar.with_suffix(f".{os.getpid()}")
        _pack(classes, packed)
        packed.replace(jar)
    return jar


def _javac() -> str:
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("javac", path=str(Path(home) / "bin")) if home else None
    found = found or shutil.which("javac")
    if found is None:
        raise SystemExit(
            "sqlml needs a JDK 17 or newer to build its Java part, and there is no javac on the PATH nor in JAVA_HOME. "
            "Install one (Debian: apt-get install openjdk-17-jdk-headless) and try again."
        )
    return found


def _spark_jars() -> Path:
    import pyspark

    return Path(pyspark.__file__).parent / "jars"


def _tables() -> dict[str, list[str]]:
    """The tables that Java reads: first words of statements, spellings of functions, keys of static settings."""
    with _own_package():
        from sqlml.parser.functions import FUNCTIONS
        from sqlml.settings import SETTINGS
        from sqlml.statements import HEADS
    return {
        "heads.txt": [" ".join(head) for head in sorted(HEADS)],
        "functions.txt": [f"{spelling} {function}" for spelling, function in FUNCTIONS.items()],
        "static_settings.txt": [setting.key for setting in SETTINGS if not setting.session],
        "session_settings.txt": [f"{one.key} {one.session} {one.needed}" for one in SETTINGS if one.session],
    }


def _manifest() -> str:
    with _own_package():
        from sqlml import __version__
    return f"Manifest-Version: 1.0\nImplementation-Title: sqlml\nImplementation-Version: {__version__}\n\n"


@contextmanager
def _own_package() -> Iterator[None]:
    """Imports of sqlml mean this source tree, installed or not."""
    sys.path.insert(0, str(ROOT))
    try:
        yield
    finally:
        sys.path.remove(str(ROOT))


def _pack(classes: Path, jar: Path) -> None:
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as packed:
        _add(packed, "META-INF/MANIFEST.MF", _manifest().encode())
        for path in sorted(classes.rglob("*")):
            if path.is_file():
                _add(packed, path.relative_to(classes).as_posix(), path.read_bytes())


def _add(packed: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, date_time=EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    packed.writestr(entry, content)


# As a command, this file also works where the build tool is not installed.
if importlib.util.find_spec("hatchling") is not None:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class JarBuildHook(BuildHookInterface):  # type: ignore[type-arg]
        """Leaves the jar in the source tree, where git ignores it, and where the wheel's settings pick it up."""

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            build_jar()


if __name__ == "__main__":
    print(build_jar())
