"""Background work that one replica does at a time: a step whenever asked for, and every so often unasked."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from shared.errors import OutOfSpace, Retry, Unavailable
from shared.store.leases import Lease

_log = structlog.get_logger("clearframe.turns")
_RENEW_SECONDS = 5.0  # of the ten that a lease lasts
_PASSING = (Retry, Unavailable, OutOfSpace)


@dataclass
class Holding:
    """A lease that several kinds of work share: one replica does them all."""

    lease: Lease
    _mine: bool = False
    _asked_at: float = -_RENEW_SECONDS
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def is_mine(self) -> bool:
        """Takes or renews it where that is due."""
        async with self._asking:
            if time.monotonic() - self._asked_at >= _RENEW_SECONDS:
                self._mine = False
                self._mine = await self.lease.take()
                self._asked_at = time.monotonic()
        return self._mine

    async def release(self) -> None:
        """Lets another replica in at once."""
        self._mine = False
        with suppress(*_PASSING):
            await self.lease.release()


@dataclass(frozen=True)
class Turns:
    """`step` says whether there is more to do at once. Trouble that passes makes it wait, other trouble is raised."""

    name: str
    holding: Holding
    step: Callable[[], Awaitable[bool]]
    asked: asyncio.Event
    every_seconds: float = 3.0

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`. What is left undone is recorded, and taken up by whoever holds the lease next."""
        while not stopping.is_set():
            try:
                more = await self.holding.is_mine() and await self.step()
            except _PASSING as error:
                _log.warning("waits", work=self.name, reason=str(error))
                more = False
            if not more:
                await self._pause(stopping)
        await self.holding.release()

    async def _pause(self, stopping: asyncio.Event) -> None:
        waiters = [asyncio.create_task(stopping.wait()), asyncio.create_task(self.asked.wait())]
        await asyncio.wait(waiters, timeout=self.every_seconds, return_when=asyncio.FIRST_COMPLETED)
        for waiter in waiters:
            waiter.cancel()
        self.asked.clear()
