"""The ledger: every verdict ever reached, each chained to the one before. Commit order is the sequence."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict.record import Entry, Head, chain_hash, digest, rule_text
from services.verdict.tables import ledger, ledger_head
from shared.store.columns import upsert
from shared.store.engine import Store

_PAGE = 500
_FIELDS = tuple(field.name for field in fields(Entry))


@dataclass(frozen=True)
class Broken:
    """Where the chain stops holding, and what does not fit there."""

    sequence: int
    what: str


@dataclass(frozen=True)
class Verified:
    """How far the chain was read, and its first fault, if it has one. `entries`: those that the asker may see."""

    entries: int
    head: str
    broken: Broken | None = None


@dataclass(frozen=True)
class Search:
    """Which verdicts to list. None asks for any; `productions` is what the asker may see."""

    productions: frozenset[str] | None = None
    asset_id: str | None = None
    production: str | None = None
    outcomes: tuple[str, ...] = ()
    rule: str | None = None
    since: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same in SQL."""
        c = ledger.c
        found: list[ColumnElement[bool]] = []
        if self.productions is not None:
            found.append(c.production.in_(sorted(self.productions)))
        if self.asset_id is not None:
            found.append(c.asset_id == self.asset_id)
        if self.production is not None:
            found.append(c.production == self.production)
        if self.outcomes:
            found.append(c.outcome.in_(self.outcomes))
        if self.rule is not None:
            found.append(names_rule(c.rules, self.rule))
        if self.since is not None:
            found.append(c.decided_at >= self.since)
        return found


def names_rule(column: ColumnElement[str], rule: str) -> ColumnElement[bool]:
    """Whether the blank-separated ids hold this rule, or a variant of this row."""
    return or_(column.contains(f" {rule} ", autoescape=True), column.contains(f" {rule}/", autoescape=True))


async def lock_head(connection: AsyncConnection) -> Head:
    """The end of the chain, ours alone until the transaction ends: whoever appends next waits here."""
    start = Head()
    await connection.execute(
        upsert(connection, ledger_head).values(id=1, **asdict(start)).on_conflict_do_nothing(index_elements=["id"])
    )
    row = (await connection.execute(select(ledger_head).with_for_update())).one()
    return Head(row.sequence, row.hash)


async def append(connection: AsyncConnection, entries: Sequence[Entry]) -> None:
    """Adds sealed entries, in order, to the chain whose head the caller has locked."""
    if not entries:
        return
    await connection.execute(ledger.insert(), [{name: getattr(entry, name) for name in _FIELDS} for entry in entries])
    await connection.execute(ledger_head.update().values(sequence=entries[-1].sequence, hash=entries[-1].hash))


async def head(connection: AsyncConnection) -> Head:
    """The end of the chain as this connection sees it."""
    row = (await connection.execute(select(ledger_head))).one_or_none()
    return Head() if row is None else Head(row.sequence, row.hash)


async def by_id(connection: AsyncConnection, verdict_id: str) -> Entry | None:
    """One revision."""
    row = (await connection.execute(select(ledger).where(ledger.c.id == verdict_id))).one_or_none()
    return None if row is None else _entry(row)


async def by_ids(connection: AsyncConnection, verdict_ids: Sequence[str]) -> list[Entry]:
    """Some revisions, in no order."""
    return [_entry(row) for row in await connection.execute(select(ledger).where(ledger.c.id.in_(verdict_ids)))]


async def newest(connection: AsyncConnection, search: Search, *, before: int | None, limit: int) -> list[Entry]:
    """Newest first, below the sequence `before`."""
    wanted = select(ledger).where(*search.conditions()).order_by(ledger.c.sequence.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(ledger.c.sequence < before)
    return [_entry(row) for row in await connection.execute(wanted)]


async def following(connection: AsyncConnection, search: Search, *, after: int, limit: int) -> list[Entry]:
    """Oldest first, above the sequence `after`."""
    wanted = select(ledger).where(ledger.c.sequence > after, *search.conditions())
    return [_entry(row) for row in await connection.execute(wanted.order_by(ledger.c.sequence).limit(limit))]


async def purge(connection: AsyncConnection, asset_id: str) -> None:
    """Removes the personal text of an asset's verdicts. The chain stays valid: it holds salted hashes of them."""
    await connection.execute(ledger.update().where(ledger.c.asset_id == asset_id).values(personal=None, salt=None))


async def verify(store: Store, productions: frozenset[str] | None = None) -> Verified:
    """Reads the whole chain, a page at a time; names the first sequence that does not fit.

    Only entries of these productions are counted and have their fault told; the chain holds for all or for none.
    """
    at, seen = Head(), 0
    async for entry in _all(store):
        fault = "a column cannot be read" if entry is None else check(at, entry)
        own = productions is None or (entry is not None and entry.production in productions)
        if fault is not None:
            return Verified(seen, at.hash, Broken(at.sequence + 1, fault if own else "an entry does not fit"))
        assert entry is not None
        at, seen = Head(entry.sequence, entry.hash), seen + own
    async with store.read() as connection:
        end, newer = await head(connection), await following(connection, Search(), after=at.sequence, limit=1)
    if not newer and end != at:
        return Verified(seen, at.hash, Broken(at.sequence + 1, f"the head says {end.sequence}, the chain ends"))
    return Verified(seen, at.hash)


def check(before: Head, entry: Entry) -> str | None:
    """What is wrong with an entry, given the one before it; None when nothing is. Pure."""
    if entry.sequence != before.sequence + 1:
        return f"sequence {before.sequence + 1} is missing"
    if entry.previous_hash != before.hash:
        return "previous_hash is not the hash of the entry before"
    if entry.hash != chain_hash(entry.previous_hash, entry.record, entry.personal_hash):
        return "record, personal_hash or hash was changed"
    if (entry.personal is None) != (entry.salt is None):
        return "personal or salt is missing"
    if entry.personal is not None and digest(entry.salt or "", entry.personal) != entry.personal_hash:
        return "personal or salt was changed"
    return _columns_fault(entry, json.loads(entry.record))


def _columns_fault(entry: Entry, record: dict[str, Any]) -> str | None:
    expected = {name: record.get(name) for name in ("sequence", "id", "asset_id", "production", "revision", "outcome")}
    expected["decided_at"] = datetime.fromisoformat(record["decided_at"])
    expected["rules"] = rule_text([reason["rule"] for reason in record["reasons"]])
    changed = [name for name, value in expected.items() if getattr(entry, name) != value]
    return f"{', '.join(changed)} was changed" if changed else None


async def _all(store: Store) -> AsyncIterator[Entry | None]:
    """In order; None stands for a row whose bytes are no text or no time any more, and is the last."""
    after, size = 0, _PAGE
    while True:
        try:
            async with store.read() as connection:
                page = await following(connection, Search(), after=after, limit=size)
        except (DBAPIError, ValueError):
            if size == 1:
                yield None
                return
            size = 1
            continue
        for entry in page:
            yield entry
        if len(page) < size:
            return
        after = page[-1].sequence


def _entry(row: Row[Any]) -> Entry:
    return Entry(**row._mapping)
