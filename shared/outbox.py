"""The transactional outbox: an event becomes durable with the state it tells of, and reaches the bus afterwards."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.port import Bus, Record
from shared.cloudevents import Envelope, encode
from shared.errors import Retry, Unavailable
from shared.events import Event
from shared.ids import new_id
from shared.store.columns import Json
from shared.store.engine import Store
from shared.store.leases import Lease

BATCH = 500
_LEASE_RENEWAL_SECONDS = 3.0
_FOREIGN_ROWS_SECONDS = 1.0  # rows of another replica are seen this late; our own wake the relay at once


def outbox_table(metadata: MetaData) -> Table:
    """Rows are deleted once published; `id` gives the order within a service, and never comes again."""
    return Table(
        "outbox",
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("topic", String(80), nullable=False),
        Column("key", String(80), nullable=False),
        Column("headers", Json, nullable=False),
        Column("value", LargeBinary, nullable=False),
        # Else SQLite gives the number of a deleted row anew, and a relay that was frozen deletes what it never sent.
        sqlite_autoincrement=True,
    )


@dataclass
class Outbox:
    """Where a service puts its events, inside the transaction that changes its state."""

    table: Table
    source: str
    _added: asyncio.Event = field(default_factory=asyncio.Event)

    async def add(self, connection: AsyncConnection, events: Iterable[Event], *, now: datetime) -> None:
        """Adds events to the caller's transaction; call `wake` once it is durable."""
        records = [encode(Envelope(new_id(), self.source, now, event)) for event in events]
        await self.add_records(connection, records)

    async def add_records(self, connection: AsyncConnection, records: Sequence[Record]) -> None:
        """The same for records that exist already, such as a dead letter put back."""
        rows = [{"topic": r.topic, "key": r.key, "headers": dict(r.headers), "value": r.value} for r in records]
        if rows:
            await connection.execute(self.table.insert(), rows)

    def wake(self) -> None:
        """Tells the relay of this process that there is something to publish."""
        self._added.set()

    async def wait(self, seconds: float) -> None:
        """Until somebody wakes us, or for `seconds`."""
        try:
            await asyncio.wait_for(self._added.wait(), seconds)
        except TimeoutError:
            return
        finally:
            self._added.clear()

    async def depth(self, connection: AsyncConnection) -> int:
        """How many events still wait for the bus."""
        return int((await connection.execute(select(func.count()).select_from(self.table))).scalar_one())


@dataclass
class Relay:
    """Moves outbox rows to the bus, in order, a batch at a time. At least once: a crash in between repeats a batch."""

    store: Store
    outbox: Outbox
    bus: Bus
    lease: Lease

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; then a last round, so that a graceful stop leaves nothing behind that could go."""
        while not stopping.is_set():
            if await self._held():
                await self._while_held(stopping)
            else:
                await _pause(stopping, _LEASE_RENEWAL_SECONDS)
        if await self._held():
            await self._drain()
            await self.lease.release()

    async def _held(self) -> bool:
        try:
            return await self.lease.take()
        except (Retry, Unavailable):
            return False

    async def _while_held(self, stopping: asyncio.Event) -> None:
        renew_at = asyncio.get_running_loop().time() + _LEASE_RENEWAL_SECONDS
        while not stopping.is_set() and asyncio.get_running_loop().time() < renew_at:
            if not await self._drain():
                await _pause(stopping, 1.0)
                return
            await self.outbox.wait(_FOREIGN_ROWS_SECONDS)

    async def _drain(self) -> bool:
        """Publishes until nothing waits; false when the bus or the database is away."""
        try:
            while await self.publish_batch() == BATCH:
                pass
        except (Unavailable, Retry):
            return False
        return True

    async def publish_batch(self) -> int:
        """The number of rows that went out."""
        table = self.outbox.table
        async with self.store.read() as connection:
            rows = (await connection.execute(select(table).order_by(table.c.id).limit(BATCH))).all()
        if not rows:
            return 0
        await self.bus.publish([Record(row.topic, row.key, row.value, row.headers) for row in rows])
        sent = [row.id for row in rows]
        await self.store.together(lambda c: c.execute(table.delete().where(table.c.id.in_(sent))))
        return len(rows)


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return
