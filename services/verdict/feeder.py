"""Feeds running rescans to the workers, in turn, and no faster than they are decided."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from services.verdict import rescans
from shared.errors import Retry, Unavailable
from shared.outbox import Outbox
from shared.store.engine import Store
from shared.store.leases import Lease

_log = structlog.get_logger("clearframe.rescans")


@dataclass(frozen=True)
class Feeder:
    """At most `outstanding` assets of all rescans wait at a time, so that uploads do not queue behind them."""

    store: Store
    outbox: Outbox
    lease: Lease
    clock: Callable[[], datetime]
    asked: asyncio.Event
    outstanding: int = 200
    page: int = 50
    look_every_seconds: float = 0.5

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; a later run goes on from the recorded cursor."""
        while not stopping.is_set():
            try:
                if await self.lease.take():
                    await self.step()
            except (Retry, Unavailable) as error:
                _log.warning("rescans_wait", reason=str(error))
            await self._pause(stopping)

    async def step(self) -> None:
        """Tops up the waiting assets, a page of each rescan in turn, and ends rescans that are through."""
        async with self.store.read() as connection:
            if not await rescans.running(connection):
                return
        async with self.store.write() as connection:
            active = await rescans.running(connection)
            counts = await rescans.counts(connection, [rescan.id for rescan in active])
            room = self.outstanding - sum(count.get("waiting", 0) for count in counts.values())
            now = self.clock()
            for rescan in active:
                if rescan.fed:
                    if not counts[rescan.id].get("waiting"):
                        await rescans.finish(connection, rescan.id, "done", now)
                elif room > 0:
                    fed = await rescans.feed(connection, rescan, min(self.page, room), now)
                    await self.outbox.add(connection, fed, now=now)
                    room -= len(fed)
        self.outbox.wake()

    async def _pause(self, stopping: asyncio.Event) -> None:
        waiters = [asyncio.create_task(stopping.wait()), asyncio.create_task(self.asked.wait())]
        await asyncio.wait(waiters, timeout=self.look_every_seconds, return_when=asyncio.FIRST_COMPLETED)
        for waiter in waiters:
            waiter.cancel()
        self.asked.clear()
