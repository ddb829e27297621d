"""The guard: ASGI middleware that lets only requests with the token pass, under one of this server's own names.

Other programs on the machine and other pages in the same browser can reach a loopback port too. The first request has
the token in its address and gets a cookie, which scripts cannot read (HttpOnly) and which requests that other sites
make do not carry (SameSite).
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

TOKEN = "token"
_SAFE = ("GET", "HEAD")
# Content Security Policy: no other origins. NiceGUI compiles templates in the browser, hence 'unsafe-eval'.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'self'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_REFUSED = {
    403: "This page needs the token that `sqlml studio` printed when it started: open the address it printed.\n",
    421: "This server is not known by that name: open the address that `sqlml studio` printed.\n",
}


class Guard:
    """An ASGI application that guards another one.

    Args:
        inner: the application behind the guard.
        token: the secret that requests must have.
        hosts: the accepted Host headers, such as `127.0.0.1:8765`. Any other name may be an attacker's that resolves to
            this machine (DNS rebinding).
        port: part of the cookie's name, since cookies are shared by all ports of a machine.
    """

    def __init__(self, inner: Application, token: str, hosts: Collection[str], port: int) -> None:
        self._inner = inner
        self._token = token
        self._hosts = frozenset(host.lower() for host in hosts)
        self._cookie = f"sqlml_studio_{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not self._is_own(headers, scope):
            await _refuse(scope, receive, send, 421)
            return
        if scope["type"] == "http" and scope["method"] in _SAFE:
            query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            if any(key == TOKEN and self._fits(value) for key, value in query):
                await self._let_in(scope, send, [pair for pair in query if pair[0] != TOKEN])
                return
        if not self._fits(_cookie(headers.get("cookie", ""), self._cookie)):
            await _refuse(scope, receive, send, 403)
            return
        await self._inner(scope, receive, _guarded(send))

    def _is_own(self, headers: dict[str, str], scope: Scope) -> bool:
        host = headers.get("host", "").lower()
        if host not in self._hosts:
            return False
        # Browsers send Origin where it matters: with WebSockets, and with requests that change something.
        origin = headers.get("origin")
        if origin is None:
            return True
        return urlsplit(origin).netloc.lower() == host

    def _fits(self, token: str) -> bool:
        return secrets.compare_digest(token.encode(), self._token.encode())

    async def _let_in(self, scope: Scope, send: Send, query: list[tuple[str, str]]) -> None:
        """Sets the cookie and redirects to the address without the token, which keeps it out of the history."""
        # Exactly one leading slash: two would make the path a URL of another server.
        path = quote("/" + scope["path"].lstrip("/\\"))
        to = path + (f"?{urlencode(query)}" if query else "")
        cookie = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Lax"
        await _respond(send, 303, "", {"location": to, "set-cookie": cookie, "cache-control": "no-store"})


def _cookie(header: str, name: str) -> str:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def _guarded(send: Send) -> Send:
    """Adds the security headers to responses that do not set them."""

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message["headers"]}
            own = [(name.encode(), value.encode()) for name, value in _HEADERS.items() if name.encode() not in present]
            message = {**message, "headers": [*message["headers"], *own]}
        await send(message)

    return sending


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    await _respond(send, status, _REFUSED[status], {"content-type": "text/plain; charset=utf-8"})


async def _respond(send: Send, status: int, text: str, headers: dict[str, str]) -> None:
    pairs = [(name.encode(), value.encode("latin-1", "replace")) for name, value in {**_HEADERS, **headers}.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": text.encode()})
