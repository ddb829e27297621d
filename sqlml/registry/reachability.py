"""A health check of the registry's server that takes seconds: MLflow itself retries for minutes."""

from __future__ import annotations

import http.client
import socket
import ssl
import urllib.error
import urllib.request
from urllib.parse import urlsplit, urlunsplit

SECONDS = 3.0
_DATABASE_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}


def check(uri: str) -> None:
    """Returns once the server has answered anything, or where the URI has no server to ask.

    Raises:
        OSError: no server answers.
    """
    parts = urlsplit(uri)
    scheme = parts.scheme.split("+")[0]
    if scheme in ("http", "https"):
        # Without user and password: only MLflow sends them.
        address = parts.netloc.rpartition("@")[2]
        _ask(urlunsplit((scheme, address, parts.path.rstrip("/") + "/health", "", "")))
    elif scheme in _DATABASE_PORTS and parts.hostname:
        socket.create_connection((parts.hostname, parts.port or _DATABASE_PORTS[scheme]), timeout=SECONDS).close()


def _ask(url: str) -> None:
    # No credentials are sent, so certificates need no verification here; MLflow verifies them.
    unverified = ssl.create_default_context()
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    try:
        urllib.request.urlopen(url, timeout=SECONDS, context=unverified).close()
    except urllib.error.HTTPError as answer:
        answer.close()  # an HTTP error is an answer: the server runs
    except TimeoutError:
        raise TimeoutError(f"no answer within {SECONDS:g} s") from None
    except http.client.HTTPException as error:
        raise ConnectionError(f"no HTTP server ({type(error).__name__})") from error
