"""Nobody listens where the brokers should be."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from shared.bus.consumer import Consumer, ConsumerSettings
from shared.bus.kafka import KafkaBus
from shared.bus.port import Message, Record, TopicSpec
from shared.errors import Unavailable


@pytest.fixture
async def bus() -> AsyncIterator[KafkaBus]:
    with socket.socket() as taken:  # bound, so that nobody else gets the port, and not listening
        taken.bind(("127.0.0.1", 0))
        bus = KafkaBus(f"127.0.0.1:{taken.getsockname()[1]}")
        yield bus
        await bus.close()


async def test_every_question_is_answered_with_unavailable(bus: KafkaBus) -> None:
    for question in (
        bus.ping(),
        bus.publish([Record("t", "key", b"", {})]),
        bus.ensure_topics([TopicSpec("t")]),
        bus.end_offset("t"),
        bus.lag("g", ["t"]),
        bus.subscribe("g", ["t"]).__aenter__(),
    ):
        with pytest.raises(Unavailable, match="kafka"):
            await question


async def test_a_consumer_waits_for_the_brokers_and_stops_when_told(bus: KafkaBus) -> None:
    tries = 0

    class Counting:
        def handled(self, messages: int, seconds: float) -> None: ...

        def rejected(self, message: Message, code: str) -> None: ...

        def lagging(self, records: int) -> None: ...

        def retried(self, messages: int, error: Exception) -> None:
            nonlocal tries
            tries += 1
            if tries == 3:
                stopping.set()

    async def handler(_: object) -> None:
        raise AssertionError

    stopping = asyncio.Event()
    settings = ConsumerSettings(first_pause=0.01, longest_pause=0.01)
    async with asyncio.timeout(20):
        await Consumer(bus, "g", ["t"], handler, settings=settings, observer=Counting()).run(stopping)
    assert tries == 3
