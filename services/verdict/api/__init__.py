"""The routes of the verdict service, a module for each resource."""

from fastapi import APIRouter

from services.verdict.api import (
    dead_letters_api,
    documents_api,
    escalations_api,
    ledger_api,
    rescans_api,
    rulebook_life_api,
    rulebooks_api,
    schemas_api,
    verdicts_api,
    webhooks_api,
)
from services.verdict.parts import Parts

_RESOURCES = (
    verdicts_api,
    ledger_api,
    escalations_api,
    documents_api,
    rulebooks_api,
    rulebook_life_api,
    webhooks_api,
    rescans_api,
    dead_letters_api,
    schemas_api,
)


def routers(parts: Parts) -> tuple[APIRouter, ...]:
    """All of them; the application puts `/v1` in front."""
    routes = APIRouter()
    for resource in _RESOURCES:
        routes.include_router(resource.router(parts))
    return (routes,)
