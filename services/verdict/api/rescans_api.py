"""`/v1/rescans`: past uploads taken again, with progress and what changed."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict import ledger, rescans
from services.verdict.parts import Parts
from services.verdict.record import verdict_of
from services.verdict.rescans import Rescan, RescanScope
from shared.events import Target
from shared.ids import new_id
from shared.principal import Principal
from shared.rulebook.model import OutcomeName
from shared.verdicts import Outcome
from shared.web.app import Closing
from shared.web.auth import require
from shared.web.openapi import answers
from shared.web.paging import Page, Paging
from shared.web.problems import Problem, invalid, not_found
from shared.web.times import Time

Operator = Annotated[Principal, Depends(require("operate", "review"))]
_CHANGES_SHOWN = 200
_LOOK_SECONDS = 0.5


class ScopeRequest(BaseModel):
    """Which assets: all that match every part."""

    model_config = ConfigDict(extra="forbid")
    production: str | None = Field(None, max_length=60)
    since: Time | None = Field(None, description="submitted at this time or later")
    until: Time | None = Field(None, description="submitted before this time")
    outcome: OutcomeName | None = Field(None, description="the outcome that stands")


class RescanRequest(BaseModel):
    """What to take anew, of which assets."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True)
    scope: ScopeRequest = ScopeRequest()
    anew: list[Target] = Field(alias="with", min_length=1, max_length=3)


class Change(BaseModel):
    """An asset whose outcome changed."""

    asset_id: str
    title: str | None
    before: Outcome
    after: Outcome
    verdict_id: str


class RescanView(BaseModel):
    """A rescan with its progress. `changed` lists outcomes that changed, the first 200."""

    model_config = ConfigDict(validate_by_name=True)
    id: str
    status: Literal["running", "done", "cancelled"]
    scope: ScopeRequest
    anew: list[Target] = Field(alias="with")
    asked_by: str
    created_at: datetime
    finished_at: datetime | None
    total: int
    done: int
    counts: dict[str, int] = Field(description="assets by what came of them: changed, unchanged, stale, failed")
    changed_count: int
    changed: list[Change]


class ItemView(BaseModel):
    """One asset of a rescan."""

    asset_id: str
    state: Literal["waiting", "changed", "unchanged", "stale", "failed"]
    before: Outcome
    after: Outcome | None
    verdict_id: str | None


@dataclass(frozen=True)
class RescanRoutes:
    """The handlers, over the service's parts."""

    parts: Parts

    async def _view(self, rescan_id: str, who: Principal) -> RescanView:
        async with self.parts.store.read() as connection:
            return await _view(connection, await _visible(connection, rescan_id, who))

    async def list_rescans(self, who: Operator, paging: Paging) -> Page[RescanView]:
        """Rescans, newest first."""
        async with self.parts.store.read() as connection:
            found = await rescans.newest(connection, visible=who.visible(), before=paging.after, limit=paging.limit + 1)
            items, following = paging.page(found, lambda rescan: rescan.id)
            return Page(items=[await _view(connection, rescan) for rescan in items], next=following)

    async def start_rescan(self, who: Operator, asked: RescanRequest, response: Response) -> RescanView:
        """Takes the assets in scope again. Uploads go first; a killed rescan goes on by itself."""
        production = asked.scope.production
        if production is not None and not who.sees(production):
            raise invalid("scope.production", "is no production that this key reaches", "name one of its productions")
        visible = who.visible()
        scope = RescanScope(**asked.scope.model_dump(), productions=None if visible is None else tuple(sorted(visible)))
        rescan = Rescan(
            id=new_id(), state="running", scope=scope, anew=tuple(dict.fromkeys(asked.anew)), asked_by=who.person,
            created_at=self.parts.clock(), finished_at=None, total=0, cursor="", fed=False,
        )  # fmt: skip
        async with self.parts.store.write() as connection:
            await rescans.create(connection, rescan)
        self.parts.rescans_asked.set()
        response.headers["Location"] = f"/v1/rescans/{rescan.id}"
        return await self._view(rescan.id, who)

    async def read_rescan(
        self,
        who: Operator,
        closing: Closing,
        rescan_id: str,
        wait: Annotated[float, Query(ge=0, le=60, description="seconds to wait for its end")] = 0,
    ) -> RescanView:
        """One rescan with counts and progress."""
        end = asyncio.get_running_loop().time() + wait
        shown = await self._view(rescan_id, who)
        while shown.status == "running" and not closing.is_set() and asyncio.get_running_loop().time() < end:
            await self.parts.bell.wait(_LOOK_SECONDS)
            shown = await self._view(rescan_id, who)
        return shown

    async def list_rescan_items(
        self,
        who: Operator,
        rescan_id: str,
        paging: Paging,
        state: Literal["waiting", "changed", "unchanged", "stale", "failed"] | None = None,
    ) -> Page[ItemView]:
        """Its assets, by id. `changed`: a new revision was made, be the outcome the same or not."""
        async with self.parts.store.read() as connection:
            await _visible(connection, rescan_id, who)
            found = await rescans.items(connection, rescan_id, state=state, after=paging.after, limit=paging.limit + 1)
        items, following = paging.page(found, lambda item: item.asset_id)
        return Page(items=[ItemView.model_validate(item, from_attributes=True) for item in items], next=following)

    async def cancel_rescan(self, who: Operator, rescan_id: str) -> RescanView:
        """Takes up no further assets; those on their way are still decided."""
        async with self.parts.store.write() as connection:
            rescan = await _visible(connection, rescan_id, who)
            if rescan.state == "done":
                raise Problem(409, "already_done", "the rescan is through")
            await rescans.finish(connection, rescan_id, "cancelled", self.parts.clock())
        return await self._view(rescan_id, who)


def router(parts: Parts) -> APIRouter:
    """The routes."""
    routes, handle = APIRouter(prefix="/rescans", tags=["rescans"]), RescanRoutes(parts)
    routes.get("")(handle.list_rescans)
    routes.post("", status_code=202)(handle.start_rescan)
    routes.get("/{rescan_id}")(handle.read_rescan)
    routes.get("/{rescan_id}/items")(handle.list_rescan_items)
    routes.post("/{rescan_id}/cancel", responses=answers(409))(handle.cancel_rescan)
    return routes


async def _visible(connection: AsyncConnection, rescan_id: str, who: Principal) -> Rescan:
    """A key with some productions sees the rescans that kept within them."""
    rescan = await rescans.find(connection, rescan_id)
    if rescan is None or not rescan.scope.within(who.visible()):
        raise not_found("rescan")
    return rescan


async def _view(connection: AsyncConnection, rescan: Rescan) -> RescanView:
    counts = (await rescans.counts(connection, [rescan.id]))[rescan.id]
    waiting = counts.pop("waiting", 0)
    number, changes = await rescans.changed_outcomes(connection, rescan.id, limit=_CHANGES_SHOWN)
    titles = await _titles(connection, [item.verdict_id for item in changes if item.verdict_id])
    return RescanView(
        id=rescan.id,
        status=rescan.state,
        scope=ScopeRequest.model_validate(rescan.scope.model_dump(exclude={"productions"})),
        anew=list(rescan.anew),
        asked_by=rescan.asked_by,
        created_at=rescan.created_at,
        finished_at=rescan.finished_at,
        total=max(rescan.total, waiting + sum(counts.values())),
        done=sum(counts.values()),
        counts=counts,
        changed_count=number,
        changed=[
            Change(
                asset_id=item.asset_id,
                title=titles.get(item.verdict_id or ""),
                before=Outcome(item.before),
                after=Outcome(item.after or item.before),
                verdict_id=item.verdict_id or "",
            )
            for item in changes
        ],
    )


async def _titles(connection: AsyncConnection, verdict_ids: list[str]) -> dict[str, str | None]:
    verdicts = [verdict_of(entry) for entry in await ledger.by_ids(connection, verdict_ids)]
    return {verdict.id: verdict.title or verdict.filename for verdict in verdicts}
