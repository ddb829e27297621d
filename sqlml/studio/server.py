"""The web server of the studio: uvicorn on one address, with all pages behind the guard."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.responses import FileResponse
from nicegui import ui

from sqlml.studio.engine import Engine, hearing_progress
from sqlml.studio.guard import TOKEN, Guard
from sqlml.studio.pages import PAGES
from sqlml.studio.pictures import Pictures
from sqlml.studio.screen import Studio

_STYLE = Path(__file__).parent / "studio.css"
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f5fbf"/>'
    '<path d="M7 22l6-8 5 5 7-10" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round"'
    ' stroke-linejoin="round"/></svg>'
)
# Loopback names that a browser may use as the host.
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_ANY = ("0.0.0.0", "::")


@dataclass(frozen=True)
class Address:
    """The address and token of the studio.

    Args:
        host: the interface to listen on.
        token: the secret that requests must have.
    """

    host: str
    port: int
    token: str

    @classmethod
    def of(cls, host: str, port: int) -> Address:
        return cls(host, port, secrets.token_urlsafe(32))

    @property
    def hosts(self) -> list[str]:
        """The accepted Host headers."""
        names = [self._name(self.host), *_LOOPBACK]
        if self.host in _ANY:
            names += [self._name(name) for name in (socket.gethostname(), socket.getfqdn())]
        # Browsers omit the scheme's default port.
        return [f"{name}:{self.port}" for name in names] + ([*names] if self.port == 80 else [])

    @property
    def url(self) -> str:
        name = "127.0.0.1" if self.host in _ANY else self._name(self.host)
        return f"http://{name}:{self.port}/?{TOKEN}={self.token}"

    @staticmethod
    def _name(host: str) -> str:
        return f"[{host}]" if ":" in host else host


def application(engine: Engine, pictures: Pictures, address: Address) -> Guard:
    """Builds the ASGI application. NiceGUI supports only one per process."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    pictures.serve(app)

    @app.get("/studio.css")
    def style() -> FileResponse:
        return FileResponse(_STYLE, media_type="text/css", headers={"cache-control": "no-cache"})

    studio = Studio(engine, pictures)
    for page in PAGES:
        ui.page(page.path, title=f"{page.title} · sqlml studio")(page.builder(studio))
    ui.run_with(
        app,
        title="sqlml studio",
        favicon=_ICON,
        dark=None,
        language="en-US",
        tailwind=False,
        show_welcome_message=False,
    )
    return Guard(app, address.token, address.hosts, address.port)


def serve(engine: Engine, pictures: Pictures, address: Address, started: Callable[[], None]) -> None:
    """Serves until Ctrl-C.

    Args:
        started: called once the port answers.
    """

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                started()

    with hearing_progress():
        config = uvicorn.Config(
            application(engine, pictures, address),
            host=address.host,
            port=address.port,
            log_level="warning",
            access_log=False,
            # Uvicorn's logging configuration would re-enable loggers that were disabled on purpose.
            log_config=None,
            # Without the header that names uvicorn.
            server_header=False,
            timeout_graceful_shutdown=3,
        )
        Server(config).run()
