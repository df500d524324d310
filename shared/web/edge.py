"""The outermost layer: request ids, security headers, one shape for every error, and unread bodies on refusals."""

import asyncio
import itertools
import re
import secrets
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from shared.web.problems import Problem

Observe = Callable[[str, str, int, float], None]
"""Told of every answer: method, route template, status, seconds."""

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_LOOKED_AT = frozenset({b"x-request-id", b"content-length", b"transfer-encoding", b"expect"})
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
# A client that is still sending when we refuse would meet a reset instead of our answer: read on, within bounds.
_DRAIN_BYTES = {401: 1_000_000}
_DRAIN_MOST_BYTES = 300_000_000
_DRAIN_SECONDS = 10.0


class Edge:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, observe: Observe) -> None:
        self._app = app
        self._observe = observe
        self._prefix = secrets.token_hex(6)
        self._count = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, f"{self._prefix}-{next(self._count)}")
        started = time.perf_counter()
        try:
            with bound_contextvars(request_id=exchange.request_id):
                await self._app(scope, exchange.receive, exchange.send)
        finally:
            self._observe(scope["method"], _route_of(scope), exchange.status, time.perf_counter() - started)


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, fresh_id: str) -> None:
        headers = {name: value for name, value in scope["headers"] if name in _LOOKED_AT}
        given = headers.get(b"x-request-id", b"")
        self.request_id = given.decode() if _REQUEST_ID.fullmatch(given) else fresh_id
        self.status = 500
        self._receive = receive
        self._send = send
        self._unread = b"content-length" in headers or b"transfer-encoding" in headers
        self._asks_first = headers.get(b"expect", b"").lower() == b"100-continue"
        self._replaced = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._asks_first = False
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._unread = False
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._start(message)
        elif not self._replaced:
            await self._send(message)

    async def _start(self, message: Message) -> None:
        self.status = message["status"]
        headers = message["headers"] = list(message.get("headers", ()))
        if self.status >= 400 and self._unread and not self._asks_first:
            await self._drain(_DRAIN_BYTES.get(self.status, _DRAIN_MOST_BYTES))
        # The native body limit answers in plain text, past every exception handler.
        if self.status == 413 and any(value.startswith(b"text/plain") for _, value in headers):
            await self._replace(Problem(413, detail="the body is larger than this address takes"))
            return
        self._add_to(headers)
        await self._send(message)

    async def _replace(self, problem: Problem) -> None:
        self._replaced = True
        answer = problem.answer()
        self._add_to(answer.raw_headers)
        await self._send({"type": "http.response.start", "status": problem.status, "headers": answer.raw_headers})
        await self._send({"type": "http.response.body", "body": answer.body})

    def _add_to(self, headers: list[tuple[bytes, bytes]]) -> None:
        present = {name for name, _ in headers}
        headers += [(name, value) for name, value in _HEADERS if name not in present]
        headers.append((b"x-request-id", self.request_id.encode()))

    async def _drain(self, most: int) -> None:
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while self._unread and most > 0:
                    most -= len((await self.receive()).get("body", b""))
        except TimeoutError:
            return


def _route_of(scope: Scope) -> str:
    """The template of the route, never the path itself: metrics must not grow with ids."""
    route = scope.get("route")
    return str(getattr(route, "path", "")) or "unknown"
