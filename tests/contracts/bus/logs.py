"""Words for the bus tests: a log with several buses onto it, numbered records, patient reading."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from shared.bus.port import Bus, Message, Record, Subscription

PATIENCE = 40.0


@dataclass
class Log:
    """One log, and as many buses onto it as a test wants; each stands for a process."""

    kind: str
    open: Callable[[], Bus]
    opened: list[Bus] = field(default_factory=list)

    def another(self) -> Bus:
        bus = self.open()
        self.opened.append(bus)
        return bus


def records(topic: str, count: int, *, keys: int = 20, start: int = 0) -> list[Record]:
    """Numbered records over several keys."""
    return [Record(topic, f"key-{i % keys}", str(i).encode(), {"n": str(i)}) for i in range(start, start + count)]


async def take(subscription: Subscription, count: int, *, commit: bool = True) -> list[Message]:
    """At least `count` messages, committed batch by batch."""
    taken: list[Message] = []
    async with asyncio.timeout(PATIENCE):
        while len(taken) < count:
            batch = await subscription.fetch(max_records=50, wait=1.0)
            if commit:
                await subscription.commit(batch)
            taken += batch
    return taken


async def nothing_more(subscription: Subscription) -> None:
    assert await subscription.fetch(max_records=10, wait=0.7) == []


def values(messages: Sequence[Message]) -> list[int]:
    """The numbers of the messages, in order."""
    return sorted(int(message.value or b"-1") for message in messages)


async def until(condition: Callable[[], object]) -> None:
    """Waits for something that other tasks bring about."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.02)


@dataclass
class Reader:
    """A member that works in the background: fetches, holds the batch for a moment, commits."""

    taken: list[Message] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, bus: Bus, group: str, topic: str) -> None:
        async with bus.subscribe(group, [topic]) as subscription:
            while not self.stop.is_set():
                batch = await subscription.fetch(max_records=5, wait=0.2)
                await asyncio.sleep(0.01)  # the work
                await subscription.commit(batch)
                self.taken += batch

    def partitions(self) -> set[int]:
        return {message.partition for message in self.taken}


@asynccontextmanager
async def reading(bus: Bus, group: str, topic: str) -> AsyncIterator[Reader]:
    """A reader for as long as the block lasts; it leaves the group properly."""
    reader = Reader()
    task = asyncio.create_task(reader.run(bus, group, topic))
    try:
        yield reader
    finally:
        reader.stop.set()
        await task
