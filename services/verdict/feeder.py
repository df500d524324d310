"""Feeds running rescans to the workers, in turn, and no faster than they are decided."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.verdict import rescans
from shared.outbox import Outbox
from shared.store.engine import Store


@dataclass(frozen=True)
class Feeder:
    """At most `outstanding` assets of all rescans wait at a time, so that uploads do not queue behind them."""

    store: Store
    outbox: Outbox
    clock: Callable[[], datetime]
    outstanding: int = 200
    page: int = 50

    async def step(self) -> bool:
        """Tops up the waiting assets, a page of each rescan in turn, and ends rescans that are through."""
        async with self.store.read() as connection:
            if not await rescans.have_work(connection, self.outstanding):
                return False
        async with self.store.write() as connection:
            active = await rescans.running(connection)
            counts = await rescans.counts(connection, [rescan.id for rescan in active])
            room = self.outstanding - sum(count.get("waiting", 0) for count in counts.values())
            now, fed = self.clock(), 0
            for rescan in active:
                if rescan.fed:
                    if not counts[rescan.id].get("waiting"):
                        await rescans.finish(connection, rescan.id, "done", now)
                elif fed < room:
                    events = await rescans.feed(connection, rescan, min(self.page, room - fed), now)
                    await self.outbox.add(connection, events, now=now)
                    fed += len(events)
        self.outbox.wake()
        return True
