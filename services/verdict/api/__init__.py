"""The routes of the verdict service, a module for each resource."""

from fastapi import APIRouter

from services.verdict.api import (
    dead_letters_api,
    documents_api,
    escalations_api,
    ledger_api,
    rescans_api,
    rulebooks_api,
    verdicts_api,
    webhooks_api,
)
from services.verdict.parts import Parts


def routers(parts: Parts) -> tuple[APIRouter, ...]:
    """All of them; the application puts `/v1` in front."""
    return (
        verdicts_api.router(parts),
        ledger_api.router(parts),
        escalations_api.router(parts),
        documents_api.router(parts),
        rulebooks_api.router(parts),
        webhooks_api.router(parts),
        rescans_api.router(parts),
        dead_letters_api.router(parts),
    )
