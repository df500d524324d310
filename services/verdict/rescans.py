"""Rescans: past assets taken again in pages. All state is durable, so that a killed one goes on where it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, Field
from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict.tables import assets, rescan_items, rescans
from shared.events import RescanRequested, Target
from shared.frozen import Frozen
from shared.rulebook.model import OutcomeName

RescanState = Literal["running", "done", "cancelled"]


class RescanScope(Frozen):
    """Which assets: all that match every part. None matches any."""

    production: str | None = Field(None, max_length=60)
    since: AwareDatetime | None = Field(None, description="submitted at this time or later")
    until: AwareDatetime | None = Field(None, description="submitted before this time")
    outcome: OutcomeName | None = Field(None, description="the outcome that stands")
    productions: tuple[str, ...] | None = Field(None, description="what the asking key sees")

    def within(self, visible: frozenset[str] | None) -> bool:
        """Whether it takes up no asset outside of these productions; None stands for all of them."""
        if visible is None or self.production in visible:
            return True
        return self.productions is not None and visible.issuperset(self.productions)


@dataclass(frozen=True, slots=True)
class Rescan:
    """One rescan. `fed`: every asset was handed to the workers."""

    id: str
    state: RescanState
    scope: RescanScope
    anew: tuple[Target, ...]
    asked_by: str
    created_at: datetime
    finished_at: datetime | None
    total: int
    cursor: str
    fed: bool


@dataclass(frozen=True, slots=True)
class Item:
    """One asset of a rescan, with the outcome before and after."""

    asset_id: str
    state: str
    before: str
    after: str | None
    verdict_id: str | None


async def create(connection: AsyncConnection, rescan: Rescan) -> Rescan:
    """Records a rescan with the number of its assets."""
    total = await connection.execute(select(func.count()).select_from(_assets_of(rescan).subquery()))
    made = Rescan(**{name: getattr(rescan, name) for name in Rescan.__slots__} | {"total": total.scalar_one()})
    row = {name: getattr(made, name) for name in Rescan.__slots__}
    row |= {"scope": made.scope.model_dump(mode="json", exclude_none=True), "anew": list(made.anew)}
    await connection.execute(rescans.insert().values(row))
    return made


async def find(connection: AsyncConnection, rescan_id: str) -> Rescan | None:
    """One rescan."""
    row = (await connection.execute(select(rescans).where(rescans.c.id == rescan_id))).one_or_none()
    return None if row is None else _rescan(row)


async def newest(
    connection: AsyncConnection, *, visible: frozenset[str] | None, before: str | None, limit: int
) -> Sequence[Rescan]:
    """Newest first, of those that kept within the visible productions."""
    wanted = select(rescans).order_by(rescans.c.id.desc())
    if before is not None:
        wanted = wanted.where(rescans.c.id < before)
    found: list[Rescan] = []
    async with connection.stream(wanted) as rows:
        async for row in rows:
            rescan = _rescan(row)
            if rescan.scope.within(visible):
                found.append(rescan)
            if len(found) == limit:
                break
    return found


async def running(connection: AsyncConnection) -> Sequence[Rescan]:
    """Those that are not over, the oldest first."""
    wanted = select(rescans).where(rescans.c.state == "running").order_by(rescans.c.id)
    return [_rescan(row) for row in await connection.execute(wanted)]


async def have_work(connection: AsyncConnection, outstanding: int) -> bool:
    """Whether some rescan can be fed further or is through."""
    active = await running(connection)
    if not active:
        return False
    waiting = {
        key: count.get("waiting", 0) for key, count in (await counts(connection, [r.id for r in active])).items()
    }
    has_room = sum(waiting.values()) < outstanding
    return any(not waiting[rescan.id] if rescan.fed else has_room for rescan in active)


async def counts(connection: AsyncConnection, rescan_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Assets by state: waiting, changed, unchanged, stale, failed."""
    c = rescan_items.c
    rows = await connection.execute(
        select(c.rescan_id, c.state, func.count()).where(c.rescan_id.in_(rescan_ids)).group_by(c.rescan_id, c.state)
    )
    found: dict[str, dict[str, int]] = {rescan_id: {} for rescan_id in rescan_ids}
    for rescan_id, state, number in rows:
        found[rescan_id][state] = number
    return found


async def items(
    connection: AsyncConnection, rescan_id: str, *, state: str | None, after: str | None, limit: int
) -> Sequence[Item]:
    """Assets of one rescan, by id."""
    c = rescan_items.c
    conditions: list[ColumnElement[bool]] = [c.rescan_id == rescan_id]
    if state is not None:
        conditions.append(c.state == state)
    if after is not None:
        conditions.append(c.asset_id > after)
    rows = await connection.execute(select(rescan_items).where(*conditions).order_by(c.asset_id).limit(limit))
    return [_item(row) for row in rows]


async def changed_outcomes(connection: AsyncConnection, rescan_id: str, *, limit: int) -> tuple[int, Sequence[Item]]:
    """How many outcomes changed, and the first of them."""
    c = rescan_items.c
    changed = [c.rescan_id == rescan_id, c.state == "changed", c.before != c.after]
    number = (await connection.execute(select(func.count()).select_from(rescan_items).where(*changed))).scalar_one()
    rows = await connection.execute(select(rescan_items).where(*changed).order_by(c.asset_id).limit(limit))
    return number, [_item(row) for row in rows]


async def feed(connection: AsyncConnection, rescan: Rescan, room: int, now: datetime) -> list[RescanRequested]:
    """Records the next assets as waiting; the events that ask for them. The caller adds them to the outbox."""
    page = _assets_of(rescan).where(assets.c.asset_id > rescan.cursor).order_by(assets.c.asset_id).limit(room)
    rows = list(await connection.execute(page))
    if rows:
        await connection.execute(
            rescan_items.insert(),
            [
                {"rescan_id": rescan.id, "asset_id": row.asset_id, "state": "waiting", "before": row.outcome}
                for row in rows
            ],
        )
    values: dict[str, Any] = {"cursor": rows[-1].asset_id} if rows else {}
    if len(rows) < room:
        values["fed"] = True
    await connection.execute(rescans.update().where(rescans.c.id == rescan.id).values(**values))
    return [
        RescanRequested(
            asset_id=row.asset_id, production=row.production, rescan_id=rescan.id, anew=rescan.anew, requested_at=now
        )
        for row in rows
    ]


async def finish(connection: AsyncConnection, rescan_id: str, state: RescanState, now: datetime) -> None:
    """Ends a running rescan."""
    still = (rescans.c.id == rescan_id) & (rescans.c.state == "running")
    await connection.execute(rescans.update().where(still).values(state=state, finished_at=now))


async def fail_item(connection: AsyncConnection, rescan_id: str, asset_id: str) -> None:
    """The asset was given up on its way, so that nobody waits for it."""
    c = rescan_items.c
    waiting = (c.rescan_id == rescan_id) & (c.asset_id == asset_id) & (c.state == "waiting")
    await connection.execute(rescan_items.update().where(waiting).values(state="failed"))


def _assets_of(rescan: Rescan) -> Select[Any]:
    """Assets in scope that were there when the rescan was asked for."""
    c, scope = assets.c, rescan.scope
    conditions: list[ColumnElement[bool]] = [c.submitted_at < (scope.until or rescan.created_at)]
    if scope.production is not None:
        conditions.append(c.production == scope.production)
    if scope.productions is not None:
        conditions.append(c.production.in_(scope.productions))
    if scope.since is not None:
        conditions.append(c.submitted_at >= scope.since)
    if scope.outcome is not None:
        conditions.append(c.outcome == scope.outcome)
    return select(c.asset_id, c.production, c.outcome).where(*conditions)


def _item(row: Row[Any]) -> Item:
    return Item(row.asset_id, row.state, row.before, row.after, row.verdict_id)


def _rescan(row: Row[Any]) -> Rescan:
    values = dict(row._mapping)
    return Rescan(**values | {"scope": RescanScope.model_validate(values["scope"]), "anew": tuple(values["anew"])})
