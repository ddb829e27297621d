"""Whether this machine can have a cluster of hosts, and what it lacks."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def hosts_lack() -> str:
    """What is missing for hosts in namespaces: '' where nothing is."""
    if sys.platform != "linux":
        return "hosts in namespaces need Linux"
    if os.geteuid() != 0:
        return "hosts in namespaces need root"
    return _packages({"ip": "iproute2", "unshare": "util-linux", "nsenter": "util-linux"})


def services_lack() -> str:
    """What is missing for MLflow on PostgreSQL behind nginx, on such hosts: '' where nothing is."""
    if lack := hosts_lack():
        return lack
    postgres = {} if postgresql() else {"initdb": "postgresql"}
    return _packages(postgres | {"nginx": "nginx"})


def postgresql() -> Path | None:
    """The folder of the newest PostgreSQL's programs, which Debian keeps off the PATH."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return versions[-1].parent if versions else None


def _packages(programs: dict[str, str]) -> str:
    missing = {package: program for program, package in programs.items() if shutil.which(program) is None}
    if not missing:
        return ""
    return f"no {', '.join(missing.values())}; Debian: apt-get install {' '.join(missing)}"


if __name__ == "__main__":
    sys.exit(services_lack() or 0)
