"""The way to the MLflow store: one client a process, short timeouts, and one kind of error for all that fails."""

from __future__ import annotations

import importlib.util
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError
from sqlml.registry.reachability import check

if TYPE_CHECKING:
    from mlflow import MlflowClient

# How MLflow is used, where its user has not said otherwise.
_ENVIRONMENT = {
    # Its own defaults try for minutes. Whether the server is there at all is known before; what is left is the time
    # it may take to store a large graph.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    # A store in a folder is one of the places a user may name, although MLflow asks to be told that twice.
    "MLFLOW_ALLOW_FILE_STORE": "true",
    # What it prints about finished runs would stand between the rows of a shell.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


# A server that has just answered is not asked again whether it is there.
_TRUSTED_SECONDS = 5.0


class Store:
    """A connection to one MLflow store, made when it is first used.

    Args:
        uri: an MLflow tracking URI: `sqlite:///…`, `http://…`, a folder.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._lock = threading.Lock()
        self._client: MlflowClient | None = None
        self._answered = float("-inf")

    @contextmanager
    def reaching(self) -> Iterator[MlflowClient]:
        """A client, with every failure to reach the store turned into one error that names it."""
        try:
            yield self._connected()
        except SqlmlError:
            raise
        except Exception as error:
            if not _is_store_failure(error):
                raise
            if getattr(error, "error_code", "") == "INVALID_PARAMETER_VALUE":
                raise SqlmlError("SQLML_OPTION_INVALID", f"MLflow refuses it: {_reason(error)}.") from error
            raise SqlmlError(
                "SQLML_REGISTRY_UNAVAILABLE",
                f"The model registry at {_without_password(self.uri)} cannot be used: {_reason(error)}.",
                hint="Check spark.sqlml.registry.uri or MLFLOW_TRACKING_URI.",
            ) from error

    def _connected(self) -> MlflowClient:
        # Outside the lock: ten statements that wait for a silent server wait together, not one after another.
        if time.monotonic() - self._answered > _TRUSTED_SECONDS:
            check(self.uri)
            self._answered = time.monotonic()
        with self._lock:
            if self._client is None:
                if importlib.util.find_spec("mlflow") is None:
                    raise SqlmlError(
                        "SQLML_MISSING_PACKAGE",
                        "The model registry needs MLflow, which this Python does not have.",
                        hint="Install sqlml with its extra `driver`, or: pip install mlflow-skinny",
                    )
                for key, value in _ENVIRONMENT.items():
                    os.environ.setdefault(key, value)
                with _one_at_a_time(self.uri):
                    self._client = _connect(self.uri)
            return self._client


def all_pages(search: Any) -> list[Any]:
    found, token = [], None
    while True:
        page = search(page_token=token)
        found.extend(page)
        token = page.token
        if not token:
            return found


def _connect(uri: str) -> MlflowClient:
    import logging

    from mlflow import MlflowClient

    # Creating a store logs dozens of migrations; a shell shows only what goes wrong.
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.search_registered_models(max_results=1)
    return client


@contextmanager
def _one_at_a_time(uri: str) -> Iterator[None]:
    """Two processes that create the same SQLite store at once would both run its migrations."""
    if not uri.startswith("sqlite:///"):
        yield
        return
    import fcntl

    path = Path(uri.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{path}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _reason(error: BaseException) -> str:
    """The first line of what went wrong at the bottom: MLflow wraps requests, which wraps urllib3."""
    while error.__context__ is not None:
        error = error.__context__
    lines = str(error).strip().splitlines() or [type(error).__name__]
    # urllib3 begins with the connection object: `HTTPConnection(host='…', port=…): Failed to …`.
    return re.sub(r"^<?\w+(\(.*?\)| object at \w+>): ", "", lines[0])[:200].rstrip(".")


def _is_store_failure(error: Exception) -> bool:
    """Whether an exception comes from the store or the way to it, rather than from a mistake of ours."""
    module = type(error).__module__.split(".")[0]
    return module in ("mlflow", "sqlalchemy", "requests", "urllib3", "alembic", "sqlite3") or isinstance(error, OSError)


def _without_password(uri: str) -> str:
    return re.sub(r"//[^/@]*@", "//…@", uri)
