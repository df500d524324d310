"""Who waits for which topics in this process."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(eq=False)
class Waiter:
    """One that waits. Look at the log after `rearm`, then `wait`: nothing in between is missed."""

    topics: frozenset[str]
    _event: asyncio.Event = field(default_factory=asyncio.Event)

    def rearm(self) -> None:
        """From here on a change ends the next wait."""
        self._event.clear()

    def wake(self) -> None:
        """Ends the wait."""
        self._event.set()

    async def wait(self, seconds: float | None) -> None:
        """Until woken, or for `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return


@dataclass
class Wakeups:
    """The waiters of one bus. `on_watch` hears whether there are any."""

    on_watch: Callable[[bool], None]
    _waiters: set[Waiter] = field(default_factory=set)

    @contextmanager
    def waiter(self, topics: Collection[str]) -> Iterator[Waiter]:
        """A waiter for as long as the block lasts."""
        waiter = Waiter(frozenset(topics))
        self._waiters.add(waiter)
        self.on_watch(True)
        try:
            yield waiter
        finally:
            self._waiters.discard(waiter)
            self.on_watch(bool(self._waiters))

    def wake(self, topics: Collection[str]) -> None:
        """Something happened to these topics or their groups."""
        for waiter in self._waiters:
            if not waiter.topics.isdisjoint(topics):
                waiter.wake()

    def wake_all(self) -> None:
        """Another process wrote something."""
        for waiter in self._waiters:
            waiter.wake()
