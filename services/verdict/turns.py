"""Background work that one replica does at a time: a step whenever asked for, and every so often unasked."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from shared.errors import OutOfSpace, Retry, Unavailable
from shared.store.leases import Lease

_log = structlog.get_logger("clearframe.turns")
_RENEW_SECONDS = 3.0  # of the ten that a lease lasts
_PASSING = (Retry, Unavailable, OutOfSpace)


@dataclass
class Turns:
    """`step` says whether there is more to do at once. Trouble that passes makes it wait, other trouble is raised."""

    lease: Lease
    step: Callable[[], Awaitable[bool]]
    asked: asyncio.Event
    every_seconds: float = 1.0
    _mine_until: float = 0.0

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`. What is left undone is recorded, and taken up by whoever holds the lease next."""
        while not stopping.is_set():
            try:
                more = await self._is_mine() and await self.step()
            except _PASSING as error:
                _log.warning("waits", work=self.lease.name, reason=str(error))
                more = False
            if not more:
                await self._pause(stopping)
        with suppress(*_PASSING):
            await self.lease.release()

    async def _is_mine(self) -> bool:
        if time.monotonic() >= self._mine_until:
            self._mine_until = time.monotonic() + _RENEW_SECONDS if await self.lease.take() else 0.0
        return self._mine_until > 0

    async def _pause(self, stopping: asyncio.Event) -> None:
        waiters = [asyncio.create_task(stopping.wait()), asyncio.create_task(self.asked.wait())]
        seconds = self.every_seconds if self._mine_until else _RENEW_SECONDS
        await asyncio.wait(waiters, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for waiter in waiters:
            waiter.cancel()
        self.asked.clear()
