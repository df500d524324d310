"""`/v1/rulebooks`: which rules there are, and which decide now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.verdict import rulebooks
from services.verdict.parts import Parts
from services.verdict.rulebooks import OnRecord
from shared.principal import Principal
from shared.verdicts import RulebookVersion
from shared.web.auth import require
from shared.web.problems import not_found

Reader = Annotated[Principal, Depends(require("read", "review", "operate"))]


class RulebookView(RulebookVersion):
    """One version. The active one decides."""

    title: str
    active: bool
    loaded_at: datetime


class RuleView(BaseModel):
    """One rule, in short."""

    id: str
    title: str
    serves: str
    outcome: str
    cites: list[str]
    needs: list[list[str]]
    confirmed_by_two: bool
    shadow: bool


class RulebookDetail(RulebookView):
    """One version with its rules, and its texts by file name."""

    rules: list[RuleView]
    sources: dict[str, str]


class RulebookList(BaseModel):
    """All versions on record."""

    items: list[RulebookView]
    next: None = None


@dataclass(frozen=True)
class RulebookRoutes:
    """The handlers, over the service's parts."""

    parts: Parts

    async def list_rulebooks(self, _who: Reader) -> RulebookList:
        """Every version on record, the newest first."""
        async with self.parts.store.read() as connection:
            return RulebookList(items=[view(one) for one in await rulebooks.on_record(connection)])

    async def read_rulebook(self, _who: Reader, rulebook_id: str, version: str) -> RulebookDetail:
        """One version; `active` as version gives the one that decides now."""
        async with self.parts.store.read() as connection:
            if version == "active":
                version = (await self.parts.settling.rulebooks.active(connection)).version.version
            found = await rulebooks.sources_of(connection, rulebook_id, version)
            if found is None:
                raise not_found("rulebook")
            one, sources = found
            compiled = await self.parts.settling.rulebooks.pinned(connection, one.version.sha256)
        rules = [
            RuleView(
                id=rule.id,
                title=rule.title,
                serves=rule.serves,
                outcome=rule.outcome.value,
                cites=list(rule.cites),
                needs=[list(alternative) for alternative in rule.needs],
                confirmed_by_two=rule.confirmed_by_two,
                shadow=rule.shadow,
            )
            for rule in compiled.rules
        ]
        return RulebookDetail(**view(one).model_dump(), rules=rules, sources=sources)


def router(parts: Parts) -> APIRouter:
    """The routes."""
    routes, handle = APIRouter(prefix="/rulebooks", tags=["rulebooks"]), RulebookRoutes(parts)
    routes.get("")(handle.list_rulebooks)
    routes.get("/{rulebook_id}/{version}")(handle.read_rulebook)
    return routes


def view(one: OnRecord) -> RulebookView:
    """As listed."""
    return RulebookView(**one.version.model_dump(), title=one.title, active=one.active, loaded_at=one.loaded_at)
