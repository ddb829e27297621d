"""A network connection that a test can cut: a TCP forwarder in front of a server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from helpers.doors.servers import free_port


class CutConnection:
    """Forwards connections to the server of a URI, until it is cut.

    Attributes:
        uri: what clients connect to.
    """

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        assert parts.hostname and parts.port
        self._server = (parts.hostname, parts.port)
        self._port = free_port()
        self.uri = f"http://127.0.0.1:{self._port}"
        self._open: list[socket.socket] = []
        self._listening: socket.socket | None = None
        self._on_request: tuple[bytes, Callable[[], None]] | None = None
        self._late: tuple[bytes, float] | None = None
        self.restore()

    def restore(self) -> None:
        """Connects again."""
        self._listening = socket.create_server(("127.0.0.1", self._port))
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def cut(self) -> None:
        """Refuses new connections, and ends those that are open."""
        assert self._listening is not None
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def restore_after(self, seconds: float) -> None:
        threading.Timer(seconds, self.restore).start()

    def cut_answer_to(self, text: bytes, then: Callable[[], None]) -> None:
        """Cuts after the next request with a text has reached the server, and before its answer; then does `then`."""
        self._on_request = (text, then)

    def delay_answer_to(self, text: bytes, seconds: float) -> None:
        """The server's answer to the next request with a text comes late."""
        self._late = (text, seconds)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
                server = socket.create_connection(self._server)
            except OSError:
                return
            self._open += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=(source, target, source is client), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket, request: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not request and self._on_request is not None and self._on_request[0] == b"":
                    _, then = self._on_request
                    self._on_request = None
                    self.cut()
                    then()
                    return
                if not request and self._late is not None and self._late[0] == b"":
                    _, seconds = self._late
                    self._late = None
                    time.sleep(seconds)
                target.sendall(data)
                if request and self._late is not None and self._late[0] and self._late[0] in data:
                    self._late = (b"", self._late[1])
                if request and self._on_request is not None and self._on_request[0] and self._on_request[0] in data:
                    self._on_request = (b"", self._on_request[1])
            target.shutdown(socket.SHUT_WR)
