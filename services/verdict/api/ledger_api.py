"""`/v1/ledger/verify`: proof that no recorded verdict was changed."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from services.verdict import ledger
from services.verdict.parts import Parts
from shared.principal import Principal
from shared.web.auth import require

Operator = Annotated[Principal, Depends(require("operate", "review"))]


class VerifyAnswer(BaseModel):
    """Whether the chain holds, over all productions. `broken_at` is the first sequence that does not fit."""

    intact: bool
    entries: int = Field(description="verdicts of the productions that the key reaches")
    head: str
    broken_at: int | None
    detail: str | None


@dataclass(frozen=True)
class LedgerRoutes:
    """The handlers, over the service's parts."""

    parts: Parts

    async def verify_ledger(self, who: Operator) -> VerifyAnswer:
        """Reads the whole chain, which holds for all productions or for none. Changes nothing."""
        found = await ledger.verify(self.parts.store, who.visible())
        broken = found.broken
        return VerifyAnswer(
            intact=broken is None,
            entries=found.entries,
            head=found.head,
            broken_at=broken.sequence if broken else None,
            detail=broken.what if broken else None,
        )


def router(parts: Parts) -> APIRouter:
    """The routes."""
    routes, handle = APIRouter(prefix="/ledger", tags=["verdicts"]), LedgerRoutes(parts)
    routes.post("/verify")(handle.verify_ledger)
    return routes
