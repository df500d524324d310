"""The outermost layer: request ids, security headers, one shape for every error, and unread bodies on refusals."""

import asyncio
import re
import time
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from shared.ids import new_id
from shared.web.problems import Problem

Observe = Callable[[str, str, int, float], None]
"""Told of every answer: method, route template, status, seconds."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
# A client that is still sending when we refuse would meet a reset instead of our answer: read on, within bounds.
_DRAIN_BYTES = {401: 1_000_000}
_DRAIN_MOST_BYTES = 300_000_000
_DRAIN_SECONDS = 10.0


class Edge:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, observe: Observe) -> None:
        self._app = app
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        started = time.perf_counter()
        try:
            with bound_contextvars(request_id=exchange.request_id):
                await self._app(scope, exchange.receive, exchange.send)
        finally:
            self._observe(scope["method"], _route_of(scope), exchange.status, time.perf_counter() - started)


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        self.request_id = given if _REQUEST_ID.fullmatch(given) else new_id()
        self.status = 500
        self._receive = receive
        self._send = send
        self._unread = "content-length" in headers or "transfer-encoding" in headers
        self._asks_first = headers.get("expect", "").lower() == "100-continue"
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
        headers = MutableHeaders(raw=message.setdefault("headers", []))
        if self.status >= 400 and self._unread and not self._asks_first:
            await self._drain(_DRAIN_BYTES.get(self.status, _DRAIN_MOST_BYTES))
        # The native body limit answers in plain text, past every exception handler.
        if self.status == 413 and headers.get("content-type", "").startswith("text/plain"):
            await self._replace(Problem(413, detail="the body is larger than this address takes"))
            return
        self._add_headers(headers)
        await self._send(message)

    async def _replace(self, problem: Problem) -> None:
        self._replaced = True
        answer = problem.answer()
        self._add_headers(answer.headers)
        await self._send({"type": "http.response.start", "status": problem.status, "headers": answer.raw_headers})
        await self._send({"type": "http.response.body", "body": answer.body})

    def _add_headers(self, headers: MutableHeaders) -> None:
        headers["X-Request-ID"] = self.request_id
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)

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
