"""Digests: once a day the contact of a production is told which verdicts were clear. Nobody is told of nothing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict import ledger
from services.verdict.notify import deliveries
from services.verdict.notify.endpoints import endpoints
from services.verdict.record import verdict_of
from services.verdict.tables import assets, digests
from services.verdict.tables import ledger as entries
from shared.store.columns import upsert
from shared.store.directory import Directory
from shared.store.engine import Store
from shared.store.entries import Production
from shared.verdicts import Outcome, Verdict

DIGEST = "clearframe.production.digest.v1"
_LISTED = 200
_log = structlog.get_logger("clearframe.notify")


@dataclass(frozen=True)
class Digests:
    """Tells what is due. A digest and the mark of what it told are one transaction."""

    store: Store
    directory: Directory
    clock: Callable[[], datetime]
    queued: Callable[[], None]

    async def step(self) -> bool:
        """One production's digest; false when none is due."""
        now = self.clock()
        async with self.store.read() as connection:
            due = select(digests.c.production).where(digests.c.due_at <= now).order_by(digests.c.due_at).limit(1)
            slug = (await connection.execute(due)).scalar_one_or_none()
        if slug is None:
            return False
        production = await self.directory.production(slug) or Production(slug, slug)
        async with self.store.write() as connection:
            await _tell(connection, production, now)
        self.queued()
        return True


async def schedule(connection: AsyncConnection, productions: Iterable[Production], hour: int, now: datetime) -> None:
    """Something clear is to be told of these; a digest that is due already stays due."""
    rows = [{"production": one.slug, "told": 0, "due_at": next_digest(now, one.time_zone, hour)} for one in productions]
    if rows:
        adding = upsert(connection, digests)
        still = func.coalesce(digests.c.due_at, adding.excluded.due_at)
        await connection.execute(
            adding.on_conflict_do_update(index_elements=["production"], set_={"due_at": still}), rows
        )


def next_digest(now: datetime, time_zone: str, hour: int) -> datetime:
    """The next time that it is `hour` o'clock there. Pure."""
    local = now.astimezone(ZoneInfo(time_zone))
    today = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    return (today if today > local else today + timedelta(days=1)).astimezone(UTC)


async def _tell(connection: AsyncConnection, production: Production, now: datetime) -> None:
    row = digests.c.production == production.slug
    told = (await connection.execute(select(digests.c.told).where(row).with_for_update())).scalar_one()
    end = (await ledger.head(connection)).sequence
    standing = _standing(production.slug, told, end)
    counted = (await connection.execute(select(func.count()).select_from(_joined()).where(*standing))).scalar_one()
    await connection.execute(digests.update().where(row).values(told=end, due_at=None))
    if not counted:
        return
    listed = select(entries.c.id).select_from(_joined()).where(*standing).order_by(entries.c.sequence).limit(_LISTED)
    found = await ledger.by_ids(connection, (await connection.execute(listed)).scalars().all())
    verdicts = sorted(map(verdict_of, found), key=lambda verdict: verdict.sequence)
    body = deliveries.body_of(DIGEST, now, digest_data(production, counted, verdicts), production.contact)
    wanting = [one for one in await endpoints(connection, enabled=True) if one.hears(DIGEST, production.slug)]
    key = f"digest/{production.slug}/{end}"
    await deliveries.enqueue_body(connection, wanting, key=key, type_=DIGEST, body=body, now=now)
    _log.info("digest", production=production.slug, contact=production.contact, clear=counted)


def digest_data(production: Production, counted: int, verdicts: Iterable[Verdict]) -> dict[str, Any]:
    """What a digest says: how many uploads stand clear that were not told of before, and the first of them."""
    return {
        "production": production.slug,
        "title": production.title,
        "clear": counted,
        "verdicts": [
            {
                "id": verdict.id,
                "asset_id": verdict.asset_id,
                "title": verdict.title,
                "filename": verdict.filename,
                "rules": [reason.rule for reason in verdict.reasons],
                "decided_at": verdict.decided_at.isoformat(),
            }
            for verdict in verdicts
        ],
    }


def _joined() -> Any:
    return entries.join(assets, assets.c.verdict_id == entries.c.id)


def _standing(production: str, told: int, end: int) -> list[ColumnElement[bool]]:
    """Clear verdicts that no later revision has replaced."""
    c = entries.c
    return [c.production == production, c.outcome == Outcome.CLEAR.value, c.sequence > told, c.sequence <= end]
