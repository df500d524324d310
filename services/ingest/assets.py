"""The rows of assets: what is held of each upload, and the verdict it has."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, bindparam, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.tables import assets, outbox
from shared.events import AssetSubmitted, Uploader
from shared.verdicts import Verdict

Status = Literal["received", "screening", "decided"]
_TOPIC = AssetSubmitted.TOPIC
_on_its_way = exists().where(outbox.c.topic == _TOPIC, outbox.c.key == assets.c.id)
_with_status = select(assets, _on_its_way.label("on_its_way"))


@dataclass(frozen=True, slots=True)
class Asset:
    """One upload. `on_its_way`: its event has not left for the bus yet."""

    id: str
    production: str
    title: str | None
    filename: str
    sha256: str
    bytes: int
    media_type: str
    number: int
    declaration: str
    key_id: str
    person: str
    submitted_at: datetime
    revision: int = 0
    outcome: str | None = None
    verdict: str | None = None
    on_its_way: bool = True

    @property
    def status(self) -> Status:
        """Where it stands on the line."""
        if self.revision:
            return "decided"
        return "received" if self.on_its_way else "screening"

    @property
    def uploader(self) -> Uploader:
        """Who handed it in."""
        return Uploader(key_id=self.key_id, person=self.person)


@dataclass(frozen=True, slots=True)
class Search:
    """Which assets to list; None asks for any. `visible` is what the key sees."""

    visible: Collection[str] | None = None
    production: str | None = None
    status: Status | None = None
    outcome: str | None = None
    sha256: str | None = None
    since: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same in SQL."""
        equal = {"production": self.production, "outcome": self.outcome, "sha256": self.sha256}
        found = [assets.c[name] == value for name, value in equal.items() if value is not None]
        if self.visible is not None:
            found.append(assets.c.production.in_(sorted(self.visible)))
        if self.since is not None:
            found.append(assets.c.submitted_at >= self.since)
        if self.status is not None:
            found.append(assets.c.revision > 0 if self.status == "decided" else assets.c.revision == 0)
        if self.status in {"received", "screening"}:
            found.append(_on_its_way if self.status == "received" else ~_on_its_way)
        return found


_COLUMNS = tuple(column.name for column in assets.columns)


async def insert(connection: AsyncConnection, new: Sequence[Asset]) -> None:
    """New rows, in one statement."""
    if new:
        rows = [{name: getattr(asset, name) for name in _COLUMNS} for asset in new]
        await connection.execute(assets.insert(), rows)


async def find(connection: AsyncConnection, asset_id: str) -> Asset | None:
    """One asset."""
    row = (await connection.execute(_with_status.where(assets.c.id == asset_id))).first()
    return None if row is None else _asset(row)


async def newest(connection: AsyncConnection, search: Search, *, before: str | None, limit: int) -> list[Asset]:
    """Newest first, below the id `before`."""
    wanted = _with_status.where(*search.conditions()).order_by(assets.c.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(assets.c.id < before)
    return [_asset(row) for row in await connection.execute(wanted)]


async def amend(connection: AsyncConnection, asset_id: str, declaration: str, title: str | None) -> Asset | None:
    """Puts another declaration in place and counts it; the row as it is then."""
    c = assets.c
    change = assets.update().where(c.id == asset_id)
    change = change.values(declaration=declaration, title=title, number=c.number + 1)
    await connection.execute(change)
    return await find(connection, asset_id)


_HIGHER = (
    assets.update()
    .where(assets.c.id == bindparam("asset"), assets.c.revision < bindparam("its_revision"))
    .values(revision=bindparam("its_revision"), outcome=bindparam("its_outcome"), verdict=bindparam("its_verdict"))
)


async def put_verdicts(connection: AsyncConnection, verdicts: Sequence[Verdict]) -> None:
    """The highest revision stands, in whichever order they come and however often."""
    highest: dict[str, Verdict] = {}
    for verdict in verdicts:
        held = highest.get(verdict.asset_id)
        if held is None or held.revision < verdict.revision:
            highest[verdict.asset_id] = verdict
    rows = [
        {
            "asset": verdict.asset_id,
            "its_revision": verdict.revision,
            "its_outcome": verdict.outcome.value,
            "its_verdict": verdict.model_dump_json(exclude_none=True),
        }
        for verdict in highest.values()
    ]
    if rows:
        await connection.execute(_HIGHER, rows)


def _asset(row: Row[Any]) -> Asset:
    return Asset(**row._mapping)
