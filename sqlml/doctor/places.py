"""Places: the project's folder, the model registry, the ports of Spark's servers."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlml.cli.home import Home
from sqlml.cli.servers import CONNECT_PORT, LOOPBACK, THRIFT_PORT, port_is_free
from sqlml.doctor.finding import Finding, Setup, failed, ok, warning
from sqlml.errors import SqlmlError
from sqlml.policy.audit import OFF, audit_path
from sqlml.settings import AUDIT, REGISTRY_URI

_REGISTRY_SECONDS = 10


def folder(setup: Setup) -> Iterator[Finding]:
    """Whether commands can write there, and whether another process has its catalogue open."""
    existing = next(path for path in (setup.home.absolute(), *setup.home.absolute().parents) if path.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        yield failed(f"{existing} is not writable.", "Use another folder with --home.")
        return
    process = Home(setup.home).catalogue_user()
    if process is not None:
        yield warning(
            f"Process {process} is using {setup.home}, and only one process at a time can use a local catalog.",
            "Stop it, connect to it if it is a server, or use another folder with --home.",
        )
    else:
        yield ok(f"{setup.home.absolute()}{'' if setup.home.exists() else ' (created at first use)'}")


def store(setup: Setup) -> Iterator[Finding]:
    """The registry answers in time. On a server, the driver also has the rights to write and delete a version."""
    from sqlml.registry import Registry, rights
    from sqlml.registry.location import locate

    uri, artifacts = locate(setup.settings.get(REGISTRY_URI.key, ""), _warehouse(setup))
    shown = uri.rpartition("@")[2] if "@" in uri else uri
    if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists():
        yield ok(f"{shown} (created at first use)")
        return
    reply = _within(_REGISTRY_SECONDS, lambda: len(Registry(uri, artifacts).models()))
    if reply is None:
        yield failed(
            f"{shown} did not answer within {_REGISTRY_SECONDS} s.", f"Check {REGISTRY_URI.key} or MLFLOW_TRACKING_URI."
        )
        return
    if isinstance(reply, SqlmlError):
        yield failed(reply.message, reply.hint or f"Check {REGISTRY_URI.key} or MLFLOW_TRACKING_URI.")
        return
    models = f"{shown}, {reply} {'model' if reply == 1 else 'models'}"
    if not uri.startswith("http"):
        yield ok(models)
        return
    try:
        rights.check(uri, artifacts)
        yield ok(f"{models}; a version was written, read and deleted")
    except SqlmlError as error:
        if error.condition == "SQLML_REGISTRY_DENIED":
            yield warning(f"{models}, which this user may only read.", error.hint or "Use another user to train.")
        else:
            yield failed(f"{models}, but none can be registered: {error.message}", error.hint or "Check the server.")


def _within(seconds: float, ask: Callable[[], int]) -> int | SqlmlError | None:
    """The answer or the error; None if there is neither in time. A store that is down may keep a connection waiting for
    minutes; the thread ends with the process."""
    answer: list[int | SqlmlError] = []

    def run() -> None:
        try:
            answer.append(ask())
        except SqlmlError as error:
            answer.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return answer[0] if answer else None


def audit(setup: Setup) -> Iterator[Finding]:
    """Where changes are recorded."""
    from sqlml.registry.location import locate

    named = setup.settings.get(AUDIT.key, "")
    path = audit_path(named, locate(setup.settings.get(REGISTRY_URI.key, ""), _warehouse(setup))[0])
    if path is None:
        yield warning("off", f"Unset {AUDIT.key}.") if named.lower() == OFF else ok("Python's logger sqlml.audit")
        return
    existing = next(parent for parent in path.parents if parent.exists())
    if (path.is_file() or existing.is_dir()) and os.access(path if path.exists() else existing, os.W_OK):
        yield ok(str(path))
    else:
        yield failed(f"{path} is not writable, so no change can be made.", f"Name another file in {AUDIT.key}.")


def _warehouse(setup: Setup) -> str:
    return setup.settings.get("spark.sql.warehouse.dir", "")


def ports(setup: Setup) -> Iterator[Finding]:
    taken = [port for port in (THRIFT_PORT, CONNECT_PORT) if not port_is_free(LOOPBACK, port)]
    for port in taken:
        yield warning(f"Port {port} is in use.", "If this is not your own server, choose another port with --port.")
    if not taken:
        yield ok(f"{THRIFT_PORT} (Thrift) and {CONNECT_PORT} (Connect) are free")
