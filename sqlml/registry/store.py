"""The way to the MLflow store: one client a process, short timeouts, and one kind of error for all that fails."""

from __future__ import annotations

import importlib.util
import os
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError
from sqlml.registry import file_lock, sqlite_file
from sqlml.registry.reachability import check
from sqlml.registry.waiting import attempts

if TYPE_CHECKING:
    from mlflow import MlflowClient

# How MLflow is used, where its user has not said otherwise.
_TIMEOUT, _SECONDS, _UPLOAD_SECONDS = "MLFLOW_HTTP_REQUEST_TIMEOUT", "4", "600"
_ENVIRONMENT = {
    # Its own defaults wait 246 s for a server that is down. A statement must answer within 10 s.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    _TIMEOUT: _SECONDS,
    # A store in a folder is one of the places a user may name, although MLflow asks to be told that twice.
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # What it prints about finished runs would stand between the rows of a shell.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
_SQLITE = "sqlite:///"
# A server that has just answered is not asked again whether it is there.
_TRUSTED_SECONDS = 5.0
# The first use of a store: a database that lets nobody in is tried again by MLflow for minutes.
_CONNECT_SECONDS = 8.0
# To open a store imports its code, and may create it: seconds, on a busy machine many; everybody else waits for that.
_CREATE_SECONDS = 120.0


class Store:
    """A connection to one MLflow store, made when it is first used.

    Args:
        uri: an MLflow tracking URI: `sqlite:///…`, `http://…`, a folder.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._lock = threading.Lock()
        self._connecting: Future[MlflowClient] | None = None
        self._answered = float("-inf")

    @property
    def is_folder(self) -> bool:
        from mlflow.utils.uri import is_local_uri

        return bool(is_local_uri(self.uri)) and not self.uri.startswith("sqlite:")

    @contextmanager
    def reaching(self) -> Iterator[MlflowClient]:
        """A client, with every failure to reach the store turned into one error that names it."""
        try:
            yield self._connected()
        except SqlmlError:
            raise
        except ModuleNotFoundError as error:
            raise SqlmlError(
                "SQLML_MISSING_PACKAGE",
                f"The model registry at {without_password(self.uri)} needs the Python package {error.name}.",
                hint=f"Install it: pip install {error.name}",
            ) from error
        except Exception as error:
            if not _is_store_failure(error):
                raise
            code = getattr(error, "error_code", "")
            if code == "INVALID_PARAMETER_VALUE":
                raise SqlmlError("SQLML_OPTION_INVALID", f"MLflow refuses it: {_reason(error)}.") from error
            if code == "RESOURCE_ALREADY_EXISTS":
                raise SqlmlError("SQLML_MODEL_ALREADY_EXISTS", f"It is there already: {_reason(error)}.") from error
            if code == "RESOURCE_DOES_NOT_EXIST":  # it was there a moment ago
                raise SqlmlError("SQLML_MODEL_NOT_FOUND", f"The registry has it no more: {_reason(error)}.") from error
            raise SqlmlError(
                "SQLML_REGISTRY_UNAVAILABLE",
                f"The model registry at {without_password(self.uri)} cannot be used: {_reason(error)}.",
                hint="Check spark.sqlml.registry.uri or MLFLOW_TRACKING_URI.",
            ) from error

    @property
    def is_sqlite(self) -> bool:
        return self.uri.startswith(_SQLITE)

    @property
    def file(self) -> Path | None:
        """The database's file, symbolic links resolved; None where the store is none of SQLite's."""
        return Path(os.path.realpath(self.uri.removeprefix(_SQLITE))) if self.is_sqlite else None

    @contextmanager
    def writing(self) -> Iterator[MlflowClient]:
        """A client for a change that stands for itself."""
        with self.reaching() as client:
            self._check_writable()
            yield client

    @contextmanager
    def changing(self) -> Iterator[MlflowClient]:
        """A client for a change that follows from what one has seen: on SQLite no other process of sqlml changes the
        registry meanwhile. On a server somebody may; what must not happen then is looked at again afterwards."""
        with self.reaching() as client, self._one_at_a_time():
            self._check_writable()
            yield client

    def _check_writable(self) -> None:
        if self.file is not None:
            sqlite_file.check(self.file, write=True)

    @contextmanager
    def _one_at_a_time(self, may_take: float = file_lock.SECONDS) -> Iterator[None]:
        """Nobody else who asks for the same, in this process or another; for SQLite, which is a file of this
        machine."""
        if self.file is None:
            yield
            return
        with file_lock.locked(Path(f"{self.file}.lock"), may_take):
            yield

    def _connected(self) -> MlflowClient:
        load_mlflow()
        # One connects, and all who come meanwhile wait for it together.
        with self._lock:
            connecting = self._connecting
            if connecting is None:
                connecting = self._connecting = Future()
                threading.Thread(target=self._connect, args=(connecting,), daemon=True).start()
        if connecting.done():
            self._check_readable()
            return connecting.result()
        seconds = _CREATE_SECONDS if _is_local(self.uri) else _CONNECT_SECONDS
        for _ in attempts(seconds):
            if connecting.done():
                return connecting.result()
        raise ConnectionError(f"no answer within {seconds:g} s")

    def _connect(self, connecting: Future[MlflowClient]) -> None:
        try:
            if self.file is not None:
                sqlite_file.check_path(self.file)
            # Two processes that create a store at once would both run its migrations.
            with self._one_at_a_time(_CREATE_SECONDS):
                self._check_readable()
                client = _connect(self.uri)
        except BaseException as error:
            with self._lock:
                self._connecting = None  # the next statement tries again
            connecting.set_exception(error)
        else:
            connecting.set_result(client)

    def _check_readable(self) -> None:
        if self.file is not None:
            sqlite_file.check(self.file)
        elif time.monotonic() - self._answered > _TRUSTED_SECONDS:
            check(self.uri)
            self._answered = time.monotonic()


_long_requests = 0
_counting = threading.Lock()


@contextmanager
def long_requests() -> Iterator[None]:
    """While files go to or come from a server, which may take more time than an answer about them."""
    global _long_requests
    ours = os.environ.get(_TIMEOUT) in (_SECONDS, _UPLOAD_SECONDS)
    with _counting:
        _long_requests += 1
        if ours:
            os.environ[_TIMEOUT] = _UPLOAD_SECONDS
    try:
        yield
    finally:
        with _counting:
            _long_requests -= 1
            if ours and not _long_requests:
                os.environ[_TIMEOUT] = _SECONDS


def all_pages(search: Any) -> list[Any]:
    found, token = [], None
    while True:
        page = search(page_token=token)
        found.extend(page)
        token = page.token
        if not token:
            return found


_loading = threading.Lock()


def load_mlflow() -> None:
    """Imports MLflow, which takes seconds that are not the store's, and tells it how it is used here. Whoever imports a
    part of it without a client calls this first: two threads that import it at once may both fail, and for good."""
    if importlib.util.find_spec("mlflow") is None:
        raise SqlmlError(
            "SQLML_MISSING_PACKAGE",
            "The model registry needs MLflow, which this Python does not have.",
            hint="Install sqlml with its extra `driver`, or: pip install mlflow-skinny",
        )
    for key, value in _ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    with _loading:
        import mlflow  # noqa: F401


def _connect(uri: str) -> MlflowClient:
    import logging

    from mlflow import MlflowClient

    # Creating a store logs dozens of migrations; a shell shows only what goes wrong.
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.search_registered_models(max_results=1)
    return client


def _is_local(uri: str) -> bool:
    """A file of this machine, whose creation may take long and always ends."""
    return uri.startswith(("sqlite:", "file:")) or "://" not in uri


def _reason(error: BaseException) -> str:
    """The first line of what went wrong at the bottom: MLflow wraps requests, which wraps urllib3."""
    while error.__context__ is not None and not error.__suppress_context__:
        error = error.__context__
    lines = str(error).strip().splitlines() or [type(error).__name__]
    # urllib3 begins with the connection object: `HTTPConnection(host='…', port=…): Failed to …`.
    return re.sub(r"^<?\w+(\(.*?\)| object at \w+>): ", "", lines[0])[:200].rstrip(".")


def _is_store_failure(error: Exception) -> bool:
    """Whether an exception comes from the store or the way to it, rather than from a mistake of ours."""
    module = type(error).__module__.split(".")[0]
    return module in ("mlflow", "sqlalchemy", "requests", "urllib3", "alembic", "sqlite3") or isinstance(error, OSError)


def without_password(uri: str) -> str:
    return re.sub(r"//[^/@]*@", "//…@", uri)
