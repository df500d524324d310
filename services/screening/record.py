"""The record of screenings: what was done for which cause, and in which order."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sqlalchemy import func, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.screening.tables import screenings
from shared.errors import Retry
from shared.events import AssetScreened, AssetSubmitted


@dataclass(frozen=True, slots=True)
class Screening:
    """A screening to record: its event, and how far the `references` topic had been read."""

    event: AssetScreened
    references_offset: int


class _Wanted(Protocol):
    @property
    def submitted(self) -> AssetSubmitted: ...

    @property
    def identity(self) -> tuple[str, str, str]: ...


W = TypeVar("W", bound=_Wanted)


async def pending(connection: AsyncConnection, jobs: Sequence[W]) -> list[W]:
    """The jobs not done yet and not overtaken by a later declaration; an asset's earlier declaration goes first."""
    assets = {job.submitted.asset_id for job in jobs}
    query = select(screenings.c.asset_id, screenings.c.cause, screenings.c.cause_id, screenings.c.submission).where(
        screenings.c.asset_id.in_(assets)
    )
    rows = (await connection.execute(query)).all()
    done = {(row.asset_id, row.cause, row.cause_id) for row in rows}
    newest: dict[str, int] = {}
    for row in rows:
        newest[row.asset_id] = max(newest.get(row.asset_id, 0), row.submission)
    left = [
        job
        for job in jobs
        if job.identity not in done and job.submitted.number >= newest.get(job.submitted.asset_id, 0)
    ]
    # Screenings are numbered in this order, and the highest number stands.
    return sorted(left, key=lambda job: job.submitted.number)


async def latest_submissions(connection: AsyncConnection, assets: Collection[str]) -> list[AssetSubmitted]:
    """The newest declaration and content of each asset that was screened."""
    query = select(screenings.c.asset_id, screenings.c.number, screenings.c.submitted).where(
        screenings.c.asset_id.in_(list(assets))
    )
    newest: dict[str, tuple[int, object]] = {}
    for asset_id, number, submitted in (await connection.execute(query)).all():
        if number > newest.get(asset_id, (0, None))[0]:
            newest[asset_id] = (number, submitted)
    return [AssetSubmitted.model_validate(submitted) for _, submitted in newest.values()]


async def number_and_insert(connection: AsyncConnection, done: Iterable[Screening]) -> list[AssetScreened]:
    """Gives each screening the next number of its asset and records it; a repeat that slipped in is left out."""
    wanted: dict[tuple[str, str, str], Screening] = {
        (s.event.asset_id, s.event.cause, s.event.cause_id): s for s in done
    }
    numbers = await _numbers(connection, {asset_id for asset_id, _, _ in wanted})
    for identity in await _recorded(connection, list(wanted)):
        del wanted[identity]
    events: list[AssetScreened] = []
    rows = []
    for screening in wanted.values():
        event = screening.event.model_copy(update={"number": numbers.get(screening.event.asset_id, 0) + 1})
        numbers[event.asset_id] = event.number
        events.append(event)
        rows.append(_row(event, screening.references_offset))
    try:
        if rows:
            await connection.execute(screenings.insert(), rows)
    except IntegrityError as error:  # another worker did the same meanwhile: look again, then it is done already
        raise Retry("screened by another worker at the same moment") from error
    return events


async def _numbers(connection: AsyncConnection, assets: Collection[str]) -> dict[str, int]:
    query = (
        select(screenings.c.asset_id, func.max(screenings.c.number))
        .where(screenings.c.asset_id.in_(list(assets)))
        .group_by(screenings.c.asset_id)
    )
    return {row[0]: row[1] for row in (await connection.execute(query)).all()}


async def _recorded(connection: AsyncConnection, identities: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    columns = (screenings.c.asset_id, screenings.c.cause, screenings.c.cause_id)
    rows = (await connection.execute(select(*columns).where(tuple_(*columns).in_(identities)))).all()
    return [(row.asset_id, row.cause, row.cause_id) for row in rows]


def _row(event: AssetScreened, references_offset: int) -> dict[str, object]:
    return {
        "asset_id": event.asset_id,
        "number": event.number,
        "cause": event.cause,
        "cause_id": event.cause_id,
        "submission": event.submitted.number,
        "submitted": event.submitted.model_dump(mode="json", exclude_none=True),
        "references_offset": references_offset,
        "screened_at": event.screened_at,
    }
