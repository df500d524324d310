"""What is on the bus of an embedded installation: read whole, written to, watched until nobody has work left."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from shared.bus.port import Bus, Message, Record
from shared.connect import open_bus
from shared.events import DEAD_TOPICS, TOPICS
from shared.ids import new_id

T = TypeVar("T")
NAMES = tuple(topic.name for topic in TOPICS)
READERS = {
    "screening": ("assets.submitted", "rescans"),
    "screening-references": ("references.submitted",),
    "verdict": ("assets.screened", "rescans"),
    "notifier": ("verdicts", "escalations"),
    "ingest": ("verdicts", "references"),
    "dead-letters": tuple(topic.name for topic in DEAD_TOPICS),
}
OF_VERDICT = ("verdict", "notifier", "dead-letters")
_QUIET_SECONDS = 1.0  # several times what a relay needs from a commit to the bus


def records_of(url: str) -> list[Record]:
    """Every record of every topic, as it was published."""

    async def read(bus: Bus) -> list[Record]:
        messages: list[Message] = []
        async with bus.subscribe(f"recorder-{new_id()}", NAMES) as subscription:
            while found := await subscription.fetch(max_records=1000, wait=1.0):
                messages += found
        return [Record(m.topic, m.key, m.value or b"", dict(m.headers)) for m in messages]

    return _with_bus(url, read)


def publish(url: str, records: Sequence[Record]) -> None:
    """In this order."""

    async def write(bus: Bus) -> None:
        for start in range(0, len(records), 200):
            await bus.publish(records[start : start + 200])

    _with_bus(url, write)


def await_rest(url: str, readers: Sequence[str] = tuple(READERS), seconds: float = 120) -> None:
    """Returns once every reader has committed all there is, and nothing has been written for a while."""

    async def watch(bus: Bus) -> None:
        until, quiet_since, before = time.monotonic() + seconds, time.monotonic(), None
        while True:
            behind = sum([await bus.lag(reader, READERS[reader]) for reader in readers])
            written = sum([await bus.lag("nobody", [name]) for name in NAMES])
            if behind or written != before:
                quiet_since, before = time.monotonic(), written
            elif time.monotonic() - quiet_since > _QUIET_SECONDS:
                return
            assert time.monotonic() < until, f"{behind} records were still unread after {seconds} s"
            await asyncio.sleep(0.1)

    _with_bus(url, watch)


def _with_bus(url: str, work: Callable[[Bus], Awaitable[T]]) -> T:
    async def run() -> T:
        bus = open_bus(url)
        try:
            return await work(bus)
        finally:
            await bus.close()

    return asyncio.run(run())
