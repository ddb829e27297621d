"""Other environments than that of the tests: other versions of a library, and clients with requirements of their own.

They are made once, below the tests' own environment, so that a second run is fast and `make clean` removes them.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path

from helpers.folders import TESTS

_CLIENTS = TESTS / "clients"
_CACHE = Path(sys.prefix) / "environments"


def library(requirement: str) -> Path:
    """A folder for the Python path with a package in this version."""
    return _made(requirement, lambda folder: _pip(["--target", str(folder), requirement]))


def files(requirement: str) -> Path:
    """A folder with the files of one package, and with nothing that it needs to run."""
    return _made(f"{requirement} files", lambda folder: _pip(["--no-deps", "--target", str(folder), requirement]))


def client(name: str) -> Path:
    """The Python of an environment with what `tests/clients/<name>/requirements.txt` says."""
    requirements = _CLIENTS / name / "requirements.txt"
    return _environment(f"{name} {requirements.read_text(encoding='utf-8')}", ["-r", str(requirements)])


def packages(name: str, requirements: list[str]) -> Path:
    """The Python of an environment with some packages."""
    return _environment(f"{name} {' '.join(requirements)}", requirements)


def _environment(what: str, arguments: list[str]) -> Path:
    def make(folder: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=True)
        _pip(arguments, "--python", str(folder / "bin" / "python"))

    return _made(what, make) / "bin" / "python"


def _made(what: str, make: Callable[[Path], None]) -> Path:
    label = "".join(letter if letter.isalnum() or letter in ".-" else "_" for letter in what.split()[0])
    folder = _CACHE / f"{label}-{hashlib.sha256(what.encode()).hexdigest()[:12]}"
    if (folder / "made").exists():
        return folder
    _CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_CACHE) as temporary:
        # A virtual environment knows its own path: it is made in its place, under a mark that says when it is whole.
        if folder.exists():
            folder.rename(Path(temporary) / "broken")
        make(folder)
        (folder / "made").touch()
    return folder


def _pip(arguments: list[str], *options: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *options, "install", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
