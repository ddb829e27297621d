"""Java: Spark runs on it, and the package's Java part is compiled with it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from sqlml.doctor.finding import Finding, Setup, failed, ok, output_of, warning

OLDEST = 17
_INSTALL = (
    f"Install a JDK {OLDEST} or newer (Debian: apt-get install openjdk-17-jdk-headless), or set JAVA_HOME to one."
)


def java(setup: Setup) -> Iterator[Finding]:
    """The Java that Spark would start."""
    home = setup.environment.get("JAVA_HOME")
    program = _program("java", setup)
    if program is None:
        where = f"JAVA_HOME ({home})" if home else "the PATH"
        yield failed(f"There is no java in {where}.", _INSTALL)
        return
    try:
        text = output_of([program, "-version"], setup.environment)
    except OSError as error:
        yield failed(f"{program} cannot be run: {error}.", _INSTALL)
        return
    version = java_version(text)
    if version is None:
        yield warning(f"{program} does not print its version.", f"Spark needs Java {OLDEST} or newer.")
    elif version < OLDEST:
        yield failed(f"{program} is Java {version}, but Spark needs {OLDEST} or newer.", _INSTALL)
    else:
        yield ok(f"{version} ({program})")


def javac(setup: Setup) -> Iterator[Finding]:
    """The compiler, which installing the package from source needs."""
    program = _program("javac", setup)
    if program is None:
        yield warning("There is no javac, so the package cannot be built from source here.", _INSTALL)
    else:
        yield ok(program)


def java_version(text: str) -> int | None:
    """The feature release in what `java -version` prints: 17 of `17.0.15`, 8 of `1.8.0_292`."""
    found = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(found.group(1)) if found else None


def _program(name: str, setup: Setup) -> str | None:
    """As Spark's own scripts look for it: in JAVA_HOME where that is set, else on the PATH."""
    home = setup.environment.get("JAVA_HOME")
    if home:
        return shutil.which(name, path=str(Path(home) / "bin"))
    return shutil.which(name, path=setup.environment.get("PATH", ""))
