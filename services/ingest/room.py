"""How many uploads are read at once. Those beyond wait a little; those beyond that are told to come back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.web.problems import Problem


class Room:
    """`places` at a time, `waiting` in line."""

    def __init__(self, places: int, waiting: int) -> None:
        self._places = asyncio.Semaphore(places)
        self._waiting = waiting
        self._in_line = 0

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[None]:
        """Holds a place for the block. Raises a 429 `Problem` when the line is too long."""
        if self._places.locked() and self._in_line >= self._waiting:
            raise Problem(429, "too_busy", "too many uploads at once", headers={"Retry-After": "2"})
        self._in_line += 1
        try:
            await self._places.acquire()
        finally:
            self._in_line -= 1
        try:
            yield
        finally:
            self._places.release()
