"""Requests that wait for something to arrive: woken by this process's consumer, or by a look at the database."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
POLL_SECONDS = 1.0  # another replica's consumer may have written it


class Waiting:
    """Who waits for which id."""

    def __init__(self, poll_seconds: float = POLL_SECONDS) -> None:
        self._poll_seconds = poll_seconds
        self._waiters: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def wake(self, ids: Iterable[str]) -> None:
        """Something changed about these."""
        for name in ids:
            for waiter in self._waiters.get(name, ()):
                waiter.set()

    async def until(
        self,
        name: str,
        look: Callable[[], Awaitable[T]],
        done: Callable[[T], bool],
        *,
        seconds: float,
        closing: asyncio.Event,
    ) -> T:
        """What `look` shows once `done` holds for it, or `seconds` passed, or the server is about to stop."""
        loop, changed = asyncio.get_running_loop(), asyncio.Event()
        deadline = loop.time() + seconds
        self._waiters[name].add(changed)
        try:
            while not done(seen := await look()):
                left = deadline - loop.time()
                if left <= 0 or closing.is_set():
                    break
                await _first(changed, closing, min(left, self._poll_seconds))
                changed.clear()
            return seen
        finally:
            self._waiters[name].discard(changed)
            if not self._waiters[name]:
                del self._waiters[name]


async def _first(changed: asyncio.Event, closing: asyncio.Event, seconds: float) -> None:
    tasks = [asyncio.create_task(event.wait()) for event in (changed, closing)]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
