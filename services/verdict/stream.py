"""Verdicts as they are reached: server-sent events by sequence, so that a reader resumes without loss."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from fastapi.sse import ServerSentEvent

from services.verdict import ledger
from services.verdict.bell import Bell
from services.verdict.ledger import Search
from services.verdict.record import verdict_of
from shared.store.engine import Store
from shared.verdicts import Verdict

_PAGE = 100
_LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Stream:
    """Reads on from a place in the ledger. The sequence is the event's id, on every replica."""

    store: Store
    bell: Bell

    async def end(self) -> int:
        """The sequence of the newest verdict."""
        async with self.store.read() as connection:
            return (await ledger.head(connection)).sequence

    async def follow(
        self, search: Search, after: int, closing: asyncio.Event, shown: Callable[[Verdict], object]
    ) -> AsyncIterator[ServerSentEvent]:
        """Events for ever, or until `closing`."""
        yield ServerSentEvent(comment="verdicts", retry=2000)
        while not closing.is_set():
            async with self.store.read() as connection:
                page = await ledger.following(connection, search, after=after, limit=_PAGE)
            for entry in page:
                after = entry.sequence
                yield ServerSentEvent(id=str(after), data=shown(verdict_of(entry)))
            if not page:
                await self._wait(closing)

    async def _wait(self, closing: asyncio.Event) -> None:
        waiters = [asyncio.create_task(self.bell.wait(_LOOK_SECONDS)), asyncio.create_task(closing.wait())]
        try:
            await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiters:
                waiter.cancel()
