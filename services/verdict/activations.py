"""Which rulebook decides: putting one in force, going back, and the record of both. Old verdicts keep theirs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict.tables import activations, rulebooks
from shared.ids import new_id

Action = Literal["installed", "activated", "rolled_back"]


@dataclass(frozen=True)
class Act:
    """Who puts a rulebook in force, when and why."""

    action: Action
    person: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Activation:
    """One entry of the record."""

    id: str
    action: str
    sha256: str
    previous_sha256: str | None
    person: str
    reason: str
    at: datetime


def installed(now: datetime) -> Act:
    """A version that the settings name, seen for the first time."""
    return Act("installed", "", "named by the settings", now)


async def put_in_force(connection: AsyncConnection, sha256: str, act: Act) -> None:
    """From now on this one decides. The caller holds the ledger's head, so that no batch is decided halfway."""
    c = rulebooks.c
    previous = (await connection.execute(select(c.sha256).where(c.active))).scalar_one_or_none()
    if previous == sha256:
        return
    await connection.execute(rulebooks.update().where(c.active).values(active=False))
    await connection.execute(rulebooks.update().where(c.sha256 == sha256).values(active=True))
    row = {"id": new_id(), "sha256": sha256, "previous_sha256": previous, **asdict(act)}
    await connection.execute(activations.insert().values(**row))


async def before_active(connection: AsyncConnection) -> str | None:
    """The digest of the rulebook that decided before the active one was put in force; None when it is the first."""
    active = select(rulebooks.c.sha256).where(rulebooks.c.active).scalar_subquery()
    c = activations.c
    wanted = select(c.previous_sha256).where(c.sha256 == active, c.action != "rolled_back").order_by(c.id.desc())
    return (await connection.execute(wanted.limit(1))).scalar_one_or_none()


async def listed(connection: AsyncConnection, *, before: str | None, limit: int) -> Sequence[Activation]:
    """The record, newest first."""
    wanted = select(activations).order_by(activations.c.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(activations.c.id < before)
    return [Activation(**row._mapping) for row in await connection.execute(wanted)]
