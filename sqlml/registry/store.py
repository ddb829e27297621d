"""The connection to an MLflow store: one client per process, short timeouts, and SQL errors for all failures."""

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
from sqlml.registry.location import is_local
from sqlml.registry.reachability import check
from sqlml.registry.waiting import attempts

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Defaults for MLflow's environment variables, where the user has not set them.
_TIMEOUT, _SECONDS, _UPLOAD_SECONDS = "MLFLOW_HTTP_REQUEST_TIMEOUT", "4", "600"
_ENVIRONMENT = {
    # MLflow's defaults wait 246 s for a server that is down. A statement must answer within 10 s.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    _TIMEOUT: _SECONDS,
    # The URI names a folder explicitly; MLflow wants a second confirmation.
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # Otherwise MLflow prints a line for each finished run between the rows of a shell.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
_SQLITE = "sqlite:///"
# The libraries of the store, and the clients of artifact stores: their exceptions are failures of the registry.
_LIBRARIES = frozenset(
    {"mlflow", "sqlalchemy", "requests", "urllib3", "alembic", "sqlite3", "psycopg2", "pymysql"}
    | {"boto3", "botocore", "s3transfer", "google", "azure"}
)
# MLflow's codes for missing and insufficient credentials; a proxy in front of it answers with a status only.
_DENIED = ("UNAUTHENTICATED", "PERMISSION_DENIED")
# Failures whose first line has neither the reason nor the way out: a part of the text, the reason, the hint.
_EXPLANATIONS = (
    (
        "CERTIFICATE_VERIFY_FAILED",
        "this driver does not trust its certificate (CERTIFICATE_VERIFY_FAILED)",
        "Name the certificate of its authority, or the certificate itself if it is self-signed, in the driver's"
        " environment: MLFLOW_TRACKING_SERVER_CERT_PATH=/path/to/ca.pem.",
    ),
    (
        "out-of-date database schema",
        "its database has the schema of another MLflow",
        "Back it up, and migrate it with the MLflow that uses it: mlflow db upgrade with the database's URI.",
    ),
)
# Statuses of HTTP, and the words of PostgreSQL and MySQL for a wrong password and for missing rights.
_DENIED_STATUS = re.compile(
    r"error code 40[13]\b|\b40[13] Client Error"
    r"|password authentication failed for |permission denied for |Access denied for "
)
# The oldest line of MLflow whose client has all that is used here; as in pyproject.toml.
_LEAST_MLFLOW = 3
# How long after an answer a server is assumed to run, in seconds.
_TRUSTED_SECONDS = 5.0
# The time limit of the first connection: MLflow retries a database without access for minutes.
_CONNECT_SECONDS = 8.0
# The limit for a local store, whose first use imports code and may create it; other processes wait that long too.
_CREATE_SECONDS = 120.0


class Store:
    """A connection to one MLflow store, opened on first use.

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
        """Yields a client; turns every failure of the store into a SqlmlError."""
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
                raise SqlmlError("SQLML_OPTION_INVALID", f"MLflow refuses the request: {_reason(error)}.") from error
            if code == "RESOURCE_ALREADY_EXISTS":
                raise SqlmlError("SQLML_MODEL_ALREADY_EXISTS", f"It already exists: {_reason(error)}.") from error
            if code == "RESOURCE_DOES_NOT_EXIST":  # it was deleted after we looked it up
                raise SqlmlError(
                    "SQLML_MODEL_NOT_FOUND", f"It is no longer in the registry: {_reason(error)}."
                ) from error
            if code in _DENIED or _DENIED_STATUS.search(str(error)):
                raise SqlmlError(
                    "SQLML_REGISTRY_DENIED",
                    f"The model registry at {without_password(self.uri)} refuses the driver's credentials: "
                    f"{_reason(error)}.",
                    hint="The driver's environment needs MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or"
                    " MLFLOW_TRACKING_TOKEN, of a user with this right."
                    if self.uri.startswith("http")
                    else "The URI in spark.sqlml.registry.uri needs a user with this right, and the user's password.",
                ) from error
            reason, hint = _explained(error)
            raise SqlmlError(
                "SQLML_REGISTRY_UNAVAILABLE",
                f"The model registry at {without_password(self.uri)} cannot be used: {reason}.",
                hint=hint,
            ) from error

    @property
    def is_sqlite(self) -> bool:
        return self.uri.startswith(_SQLITE)

    @property
    def file(self) -> Path | None:
        """The database file with symbolic links resolved; None where the store is not SQLite."""
        return Path(os.path.realpath(self.uri.removeprefix(_SQLITE))) if self.is_sqlite else None

    @contextmanager
    def writing(self) -> Iterator[MlflowClient]:
        """Yields a client for an independent change."""
        with self.reaching() as client:
            self._check_writable()
            yield client

    @contextmanager
    def changing(self) -> Iterator[MlflowClient]:
        """Yields a client for a read-then-write change, under an exclusive lock on SQLite.

        On a server there is no lock against other clients: callers check their invariants again afterwards.
        """
        with self.reaching() as client, self._one_at_a_time():
            self._check_writable()
            yield client

    def _check_writable(self) -> None:
        if self.file is not None:
            sqlite_file.check(self.file, write=True)

    @contextmanager
    def _one_at_a_time(self, may_take: float = file_lock.SECONDS) -> Iterator[None]:
        """Holds the registry's file lock, which excludes other threads and processes; for SQLite only."""
        if self.file is None:
            yield
            return
        with file_lock.locked(Path(f"{self.file}.lock"), may_take):
            yield

    def _connected(self) -> MlflowClient:
        """The client. The first caller starts the connection on a thread; all callers wait with a time limit."""
        load_mlflow()
        # One background thread connects; all callers wait for its future.
        with self._lock:
            connecting = self._connecting
            if connecting is None:
                connecting = self._connecting = Future()
                threading.Thread(target=self._connect, args=(connecting,), daemon=True).start()
        if connecting.done():
            self._check_readable()
            return connecting.result()
        seconds = _CREATE_SECONDS if is_local(self.uri) else _CONNECT_SECONDS
        for _ in attempts(seconds):
            if connecting.done():
                return connecting.result()
        raise ConnectionError(f"no answer within {seconds:g} s")

    def _connect(self, connecting: Future[MlflowClient]) -> None:
        try:
            if self.file is not None:
                sqlite_file.check_path(self.file)
            # Two processes that create the store concurrently would both run its migrations.
            with self._one_at_a_time(_CREATE_SECONDS):
                self._check_readable()
                client = _connect(self.uri)
        except BaseException as error:
            with self._lock:
                self._connecting = None  # the next statement connects again
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
    """Raises MLflow's HTTP timeout while files are transferred; nested and concurrent blocks are counted."""
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
    """Imports MLflow and sets its environment variables.

    The import takes seconds that do not count as the store's. Call it before importing any part of MLflow without a
    client: concurrent imports in two threads can fail permanently, so it holds a lock.
    """
    if importlib.util.find_spec("mlflow") is None:
        raise SqlmlError(
            "SQLML_MISSING_PACKAGE",
            "The model registry needs MLflow, which is not installed in this Python.",
            hint="Install it: pip install 'sqlml[driver]', or pip install mlflow-skinny.",
        )
    for key, value in _ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    with _loading:
        import mlflow
    if int(mlflow.__version__.split(".")[0]) < _LEAST_MLFLOW:
        raise SqlmlError(
            "SQLML_MISSING_PACKAGE",
            f"The model registry needs MLflow {_LEAST_MLFLOW} on the driver, which has {mlflow.__version__}. (A server"
            " may be older.)",
            hint=f"pip install 'mlflow-skinny>={_LEAST_MLFLOW}'",
        )


def _connect(uri: str) -> MlflowClient:
    import logging

    from mlflow import MlflowClient

    # Creating a store logs dozens of migrations, which a shell should not show.
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if not is_local(uri) and not uri.startswith("http"):
        _log_in(uri)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.search_registered_models(max_results=1)
    return client


def _log_in(uri: str) -> None:
    """Connects to a database once, so that a refusal is an error now: MLflow tries again for minutes."""
    from mlflow.store.db.utils import create_sqlalchemy_engine

    engine = create_sqlalchemy_engine(uri)
    try:
        engine.connect().close()
    finally:
        engine.dispose()


def _explained(error: BaseException) -> tuple[str, str]:
    """Why the store cannot be used, and the way out."""
    text = str(error)
    for part, reason, hint in _EXPLANATIONS:
        if part in text:
            return reason, hint
    return _reason(error), "Check spark.sqlml.registry.uri or MLFLOW_TRACKING_URI."


def _reason(error: BaseException) -> str:
    """The first line of the root cause: MLflow wraps requests, which wraps urllib3."""
    while error.__context__ is not None and not error.__suppress_context__:
        error = error.__context__
    # MLflow raises its error from SQLAlchemy's, which begins with advice about the session and has the database's.
    error = getattr(error.__cause__ or error, "orig", None) or error
    lines = str(error).strip().splitlines() or [type(error).__name__]
    # urllib3 begins with the connection object: `HTTPConnection(host='…', port=…): Failed to …`.
    return re.sub(r"^<?\w+(\(.*?\)| object at \w+>): ", "", lines[0])[:200].rstrip(".")


def _is_store_failure(error: Exception) -> bool:
    """Whether an exception comes from the store or the connection, rather than from a bug in sqlml."""
    module = type(error).__module__.split(".")[0]
    return module in _LIBRARIES or isinstance(error, OSError)


def without_password(uri: str) -> str:
    return re.sub(r"//[^/@]*@", "//…@", uri)
