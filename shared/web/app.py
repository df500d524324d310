"""The HTTP application: the services' routes under /v1, and what every process answers besides."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response
from starlette.types import ASGIApp

from shared.errors import Unavailable
from shared.service import Check, Service
from shared.store.directory import Directory
from shared.telemetry import observe_http
from shared.web import problems
from shared.web.auth import Gate
from shared.web.edge import Edge, Observe
from shared.web.faults import FieldFault
from shared.web.limits import PER_MINUTE, RateLimit
from shared.web.openapi import describe, operation_id
from shared.web.plain_text import without_nul
from shared.web.query import known_query

LARGEST_JSON_BYTES = 1_000_000
_CHECK_SECONDS = 5.0


class Application(FastAPI):
    """FastAPI with our edge around it, outside even of its own error handling."""

    observe: Observe

    def build_middleware_stack(self) -> ASGIApp:
        """FastAPI's own stack, and the edge around it."""
        return Edge(super().build_middleware_stack(), self.observe)

    def openapi(self) -> dict[str, Any]:
        """The document, with every error answer of every operation."""
        if self.openapi_schema is None:
            describe(document := super().openapi())
            self.openapi_schema = document
        return self.openapi_schema


def build_app(
    services: Sequence[Service],
    directory: Directory,
    *,
    version: str = "0",
    per_minute: int = PER_MINUTE,
    observe: Observe = observe_http,
) -> Application:
    """All routes of `services`. Routers whose prefix is `/console` stay outside of `/v1`."""
    app = Application(
        title="Clearframe",
        version=version,
        description="Screens uploads against a studio's generative-AI rules and protected works.",
        generate_unique_id_function=operation_id,
        docs_url=None,
        redoc_url=None,
        max_body_size=LARGEST_JSON_BYTES,
    )
    app.observe = observe
    app.state.gate = Gate(directory, RateLimit(per_minute))
    app.state.closing = asyncio.Event()
    problems.install(app)
    for service in services:
        for router in service.routers:
            if router.prefix.startswith("/console"):
                app.include_router(router)
            else:
                app.include_router(router, prefix="/v1", dependencies=[Depends(known_query), Depends(without_nul)])
    # Services of one process share parts, and ask for each by its name.
    checks = {check.name: check for service in services for check in service.checks}
    _add_operations(app, list(checks.values()))
    return app


def closing(request: Request) -> asyncio.Event:
    """Set when the server is about to stop: whoever holds a request open must let it go."""
    event: asyncio.Event = request.app.state.closing
    return event


Closing = Annotated[asyncio.Event, Depends(closing)]
"""Declare a parameter of this type in routes that stream or wait."""


def _add_operations(app: FastAPI, checks: Sequence[Check]) -> None:
    @app.get("/livez", tags=["operations"])
    async def livez() -> dict[str, str]:
        """The process answers."""
        return {"status": "alive"}

    @app.get("/readyz", tags=["operations"])
    async def readyz() -> dict[str, Any]:
        """The process can do its work: every part it depends on answers. 503 names those that do not.

        `notes` tell of what an operator should look at although the work goes on.
        """
        said = dict(zip((check.name for check in checks), await asyncio.gather(*map(_ask, checks)), strict=True))
        faults = [fault for fault in said.values() if isinstance(fault, FieldFault)]
        if faults:
            raise problems.Problem(503, "not_ready", errors=faults, headers={"Retry-After": "2"})
        notes = {name: note for name, note in said.items() if note is not None}
        return {"status": "ready", "checks": list(said), "notes": notes}

    @app.get("/metrics", tags=["operations"], response_class=Response)
    async def metrics() -> Response:
        """Prometheus' text format."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        """The interface for people, without scripts or foreign servers."""
        from shared.web.docs_page import page

        return page(app.openapi())


async def _ask(check: Check) -> FieldFault | str | None:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            return await check.ask()
    except (Unavailable, TimeoutError) as error:
        return FieldFault(field=check.name, message=str(error) or "does not answer", remedy="see its log")
