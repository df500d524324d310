"""`/v1/verdicts`: the list, one revision, the stream, and a replay."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from services.verdict import ledger, shadows
from services.verdict.ledger import Search
from services.verdict.parts import Parts
from services.verdict.record import verdict_of
from services.verdict.replay import replay
from shared.coarse import for_reader
from shared.principal import Principal
from shared.rulebook.model import OutcomeName
from shared.verdicts import Outcome, RulebookVersion
from shared.web.app import Closing
from shared.web.auth import check_sees, require
from shared.web.openapi import answers
from shared.web.paging import Page, Paging
from shared.web.problems import invalid, not_found
from shared.web.times import Time

Reader = Annotated[Principal, Depends(require("read", "review"))]
Reviewer = Annotated[Principal, Depends(require("review"))]
Outcomes = Annotated[list[OutcomeName] | None, Query(description="only these outcomes; may be given more than once")]


def _sequence(text: str | None, field: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise invalid(field, "is no sequence number", "use the id of an event, or the `next` of a page")
    return int(text)


def _resumed(last_event_id: Annotated[str | None, Header(max_length=40)] = None) -> int | None:
    return _sequence(last_event_id, "Last-Event-ID")


class ReplayAnswer(BaseModel):
    """Whether deciding from the record again gives the recorded verdict."""

    verdict_id: str
    same: bool
    recorded: Outcome
    replayed: Outcome
    differences: list[str]


class ShadowSaid(BaseModel):
    """What one rulebook in shadow (or the one in force, had its rules in shadow counted) made of the same facts."""

    rulebook: RulebookVersion
    outcome: Outcome
    rules: list[str]


class ShadowsSaid(BaseModel):
    """All that was said in shadow beside one verdict."""

    items: list[ShadowSaid]
    next: None = None


@dataclass(frozen=True)
class VerdictRoutes:
    """The handlers, over the service's parts."""

    parts: Parts

    async def list_verdicts(
        self,
        *,
        who: Reader,
        paging: Paging,
        asset_id: Annotated[str | None, Query(max_length=200)] = None,
        production: Annotated[str | None, Query(max_length=200)] = None,
        outcome: Outcomes = None,
        rule: Annotated[str | None, Query(max_length=80, description="a row such as P3, or a variant of it")] = None,
        since: Time | None = None,
    ) -> Page[dict[str, Any]]:
        """Every revision, newest first."""
        search = Search(
            productions=who.visible(),
            asset_id=asset_id,
            production=production,
            outcomes=tuple(outcome or ()),
            rule=rule,
            since=since,
        )
        before = _sequence(paging.after, "after")
        async with self.parts.store.read() as connection:
            entries = await ledger.newest(connection, search, before=before, limit=paging.limit + 1)
        shown, following = paging.page(entries, lambda entry: str(entry.sequence))
        return Page(items=[for_reader(verdict_of(entry), who) for entry in shown], next=following)

    async def stream_verdicts(
        self,
        *,
        who: Reader,
        closing: Closing,
        start: Annotated[Literal["beginning", "now"], Query(alias="from")] = "now",
        outcome: Outcomes = None,
        production: Annotated[str | None, Query(max_length=200)] = None,
        resumed: Annotated[int | None, Depends(_resumed)] = None,
    ) -> AsyncIterator[ServerSentEvent]:
        """Server-sent events: `id` is the sequence, `data` the verdict. `Last-Event-ID` goes on after that one."""
        search = Search(productions=who.visible(), production=production, outcomes=tuple(outcome or ()))
        after = resumed
        if after is None:
            after = 0 if start == "beginning" else await self.parts.stream.end()
        async for event in self.parts.stream.follow(search, after, closing, lambda verdict: for_reader(verdict, who)):
            yield event

    async def read_verdict(self, who: Reader, verdict_id: str) -> dict[str, Any]:
        """One revision, with all it rests on."""
        async with self.parts.store.read() as connection:
            entry = await ledger.by_id(connection, verdict_id)
        if entry is None:
            raise not_found("verdict")
        check_sees(who, entry.production, "verdict")
        return for_reader(verdict_of(entry), who)

    async def read_shadows(self, who: Reader, verdict_id: str) -> ShadowsSaid:
        """What was recorded beside this verdict, by rules and rulebooks in shadow. None of it counts."""
        async with self.parts.store.read() as connection:
            entry = await ledger.by_id(connection, verdict_id)
            said = await shadows.beside(connection, verdict_id)
        if entry is None:
            raise not_found("verdict")
        check_sees(who, entry.production, "verdict")
        return ShadowsSaid(items=[ShadowSaid.model_validate(one, from_attributes=True) for one in said])

    async def replay_verdict(self, who: Reviewer, verdict_id: str) -> ReplayAnswer:
        """Decides again from the record, with the pinned rulebook, and compares. Changes nothing."""
        async with self.parts.store.read() as connection:
            found = await replay(connection, self.parts.settling.rulebooks, verdict_id)
        if found is None:
            raise not_found("verdict")
        check_sees(who, found.verdict.production, "verdict")
        return ReplayAnswer(
            verdict_id=verdict_id,
            same=found.same,
            recorded=found.verdict.outcome,
            replayed=found.outcome,
            differences=list(found.differences),
        )


def router(parts: Parts) -> APIRouter:
    """The routes."""
    routes, handle = APIRouter(prefix="/verdicts", tags=["verdicts"]), VerdictRoutes(parts)
    routes.get("")(handle.list_verdicts)
    routes.get("/stream", response_class=EventSourceResponse)(handle.stream_verdicts)
    routes.get("/{verdict_id}")(handle.read_verdict)
    routes.get("/{verdict_id}/shadows")(handle.read_shadows)
    routes.post("/{verdict_id}/replay", responses=answers(409))(handle.replay_verdict)
    return routes
