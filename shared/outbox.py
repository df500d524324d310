"""The transactional outbox: an event becomes durable with the state it tells of, and reaches the bus afterwards."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from typing import Any

import structlog
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Select, String, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.port import Bus, Record
from shared.cloudevents import Envelope, encode
from shared.errors import OutOfSpace, Retry, Unavailable
from shared.events import Event
from shared.ids import new_id
from shared.metrics import OUTBOX
from shared.store.columns import Json
from shared.store.engine import Store
from shared.store.leases import Lease

BATCH = 500
BATCH_BYTES = 8_000_000
_RENEW_AFTER = 0.3  # of the time that the lease lasts: every 3 s of 10
_LAST_ROUND_SECONDS = 5.0
_PASSING = (Retry, Unavailable, OutOfSpace)
_FOREIGN_ROWS_SECONDS = (0.1, 2.0)  # how late rows of another replica are seen while they come, and when none do

_log = structlog.get_logger(__name__)


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

    async def wait(self, seconds: float) -> bool:
        """Until somebody wakes us, or for `seconds`. Whether we were woken."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._added.wait(), seconds)
        woken = self._added.is_set()
        self._added.clear()
        return woken

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
    _look_again: float = _FOREIGN_ROWS_SECONDS[1]

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; then a last round, so that a graceful stop leaves nothing behind that could go."""
        waker = asyncio.create_task(self._wake_at(stopping), name="relay-stop")
        try:
            while not stopping.is_set():
                if await self._held():
                    await self._while_held(stopping)
                else:
                    await _pause(stopping, self._renewal)
        finally:
            waker.cancel()
        if await self._held():
            await self._drain(for_seconds=_LAST_ROUND_SECONDS)
            with suppress(*_PASSING):
                await self.lease.release()

    async def publish_batch(self) -> tuple[int, bool]:
        """How many rows went out, and whether more wait. Raises `Unavailable`, `Retry`, `OutOfSpace`: then the rows
        will go out again."""
        table = self.outbox.table
        async with self.store.read() as connection:
            waiting = [(int(i), int(size)) for i, size in await connection.execute(self._sizes())]
            ids = first_ids(waiting, BATCH_BYTES)
            rows = (await connection.execute(_whole(table, ids))).all() if ids else []
        if not rows:
            return 0, False
        await self._publish([Record(row.topic, row.key, row.value, row.headers) for row in rows])
        await self.store.together(lambda c: c.execute(table.delete().where(table.c.id.in_(ids))))
        return len(ids), len(ids) < len(waiting) or len(waiting) == BATCH

    async def _publish(self, records: Sequence[Record]) -> None:
        """Keeps the lease while a slow bus takes its time: a second relay would send older events after newer ones."""
        sending = asyncio.ensure_future(self.bus.publish(records))
        try:
            while not (await asyncio.wait({sending}, timeout=self._renewal))[0]:
                await self._held()
            sending.result()
        finally:
            sending.cancel()

    @property
    def _renewal(self) -> float:
        return self.lease.lasts.total_seconds() * _RENEW_AFTER

    async def _held(self) -> bool:
        try:
            return await self.lease.take()
        except _PASSING:
            return False

    async def _while_held(self, stopping: asyncio.Event) -> None:
        renew_at = time.monotonic() + self._renewal
        woken = True
        while not stopping.is_set() and (left := renew_at - time.monotonic()) > 0:
            sent = await self._drain(for_seconds=left)
            await self._count(empty=sent is not None and time.monotonic() < renew_at)
            if sent is None:
                await _pause(stopping, 1.0)
                return
            soonest, latest = _FOREIGN_ROWS_SECONDS
            self._look_again = soonest if sent and not woken else min(2 * self._look_again, latest)
            woken = await self.outbox.wait(min(self._look_again, max(0.0, renew_at - time.monotonic())))

    async def _drain(self, *, for_seconds: float) -> int | None:
        """Publishes until nothing waits or the time is up: how many; None when the bus or the database is away."""
        until = time.monotonic() + for_seconds
        sent, more = 0, True
        try:
            while more and time.monotonic() < until:
                count, more = await self.publish_batch()
                sent += count
        except _PASSING as error:
            _log.warning("outbox_waits", source=self.outbox.source, error=str(error))
            return None
        return sent

    async def _count(self, *, empty: bool) -> None:
        """How much waits; a look at the table only when something does."""
        depth = 0
        if not empty:
            try:
                async with self.store.read() as connection:
                    depth = await self.outbox.depth(connection)
            except _PASSING:
                return
        OUTBOX.labels(self.outbox.source.rpartition("/")[2]).set(depth)

    async def _wake_at(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self.outbox.wake()

    def _sizes(self) -> Select[int, int]:
        table = self.outbox.table
        return select(table.c.id, func.length(table.c.value)).order_by(table.c.id).limit(BATCH)


def first_ids(waiting: Sequence[tuple[int, int]], most_bytes: int) -> list[int]:
    """Of (id, bytes) in order, the first that together stay within `most_bytes`; one at least."""
    totals = accumulate(size for _, size in waiting)
    return [row_id for (row_id, _), total in zip(waiting, totals, strict=True) if total <= most_bytes] or [
        row_id for row_id, _ in waiting[:1]
    ]


def _whole(table: Table, ids: list[int]) -> Select[Any]:
    return select(table).where(table.c.id.in_(ids)).order_by(table.c.id)


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
