"""Checks of `sqlml doctor`: Python and its packages, compared with the requirements that sqlml declares."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import metadata

from sqlml.doctor.finding import Finding, Setup, failed, ok, warning

_OLDEST_PYTHON = (3, 11)


def python(setup: Setup) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < _OLDEST_PYTHON:
        yield failed(f"{version} ({sys.executable})", "Use Python 3.11 or newer.")
    else:
        yield ok(f"{version} ({sys.executable})")


def libraries(setup: Setup) -> Iterator[Finding]:
    """Checks that every package of the core and the driver extra is installed, in a version they accept."""
    try:
        declared = metadata.requires("sqlml") or []
    except metadata.PackageNotFoundError:
        yield warning("sqlml runs from a source tree that is not installed.", "Install it: pip install -e '.[driver]'")
        return
    good = []
    for text in declared:
        wrong = _unsatisfied(text)
        if wrong is None:
            continue
        if wrong:
            yield failed(*wrong)
        else:
            good.append(text)
    if good:
        yield ok(f"{len(good)} packages of the core and the driver extra")


def _unsatisfied(text: str) -> tuple[str, str] | tuple[()] | None:
    """The problem with a requirement, and its remedy; () if it is met, None if it belongs to another extra."""
    from packaging.requirements import Requirement

    requirement = Requirement(text)
    if requirement.marker is not None and not any(
        requirement.marker.evaluate({"extra": extra}) for extra in ("", "driver")
    ):
        return None
    remedy = f"pip install '{requirement.name}{requirement.specifier}'"
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return f"{requirement.name} is not installed.", remedy
    if not requirement.specifier.contains(version, prereleases=True):
        return f"{requirement.name} {version} is installed, but {requirement.specifier} is required.", remedy
    return ()


def pandas(setup: Setup) -> Iterator[Finding]:
    try:
        version = metadata.version("pandas")
    except metadata.PackageNotFoundError:
        yield ok("not installed, and only Spark 4.0 needs it to score")
        return
    if int(version.split(".")[0]) >= 3:
        yield failed(f"{version} is installed, but PySpark 4 does not work with pandas 3.", "pip install 'pandas<3'")
    else:
        yield ok(version)
