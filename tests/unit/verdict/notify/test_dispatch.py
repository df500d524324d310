"""When messages go out: by the monotonic clock, whatever the wall clock does, and across restarts."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from services.verdict import tables
from services.verdict.notify import deliveries, endpoints
from services.verdict.notify.dispatch import Dispatcher
from services.verdict.notify.endpoints import Endpoint, new_secret
from services.verdict.notify.sending import Sender
from tests.screenings import START
from tests.verdict_bench import Bench, open_bench
from tests.verdict_receiver import Receiver, answers, receiving


@dataclass
class Clocks:
    """A wall clock that may jump, and a monotonic one that may not."""

    wall: datetime = START
    monotonic: float = 1000.0


@dataclass
class Office:
    """A dispatcher with one endpoint and one message for it."""

    bench: Bench
    receiver: Receiver
    sender: Sender
    clocks: Clocks = field(default_factory=Clocks)

    def dispatcher(self) -> Dispatcher:
        """As after a start of the process."""
        return Dispatcher(
            self.bench.store,
            self.sender,
            asyncio.Event(),
            clock=lambda: self.clocks.wall,
            monotonic=lambda: self.clocks.monotonic,
        )

    async def look(self, dispatcher: Dispatcher) -> int:
        """Lets the dispatcher work; how many requests have come by then."""
        await dispatcher.look()
        await dispatcher.finish()
        return len(self.receiver.received)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    sender = Sender(timeout_seconds=5, allow_loopback=True)
    async with open_bench(f"sqlite://{tmp_path}") as bench, receiving(answers(500)) as receiver:
        endpoint = Endpoint(
            id="w", url=receiver.url, description="", events=(), outcomes=(), productions=("*",), secret=new_secret(),
            old_secret=None, old_secret_until=None, enabled=True, disabled_because=None, created_by="x",
            created_at=START,
        )  # fmt: skip
        async with bench.store.write() as connection:
            await endpoints.add(connection, endpoint)
            await deliveries.enqueue_test(connection, endpoint, now=START)
        yield Office(bench, receiver, sender)
    await sender.close()


async def test_a_retry_waits_for_the_monotonic_clock(office: Office) -> None:
    dispatcher = office.dispatcher()
    assert await office.look(dispatcher) == 1
    office.clocks.monotonic += 4.9
    assert await office.look(dispatcher) == 1
    office.clocks.monotonic += 0.7
    assert await office.look(dispatcher) == 2


@pytest.mark.parametrize("hours", [2, -2])
async def test_a_jump_of_the_wall_clock_neither_hastens_nor_stops_it(office: Office, hours: int) -> None:
    dispatcher = office.dispatcher()
    assert await office.look(dispatcher) == 1
    office.clocks.wall += timedelta(hours=hours)
    assert await office.look(dispatcher) == 1
    office.clocks.monotonic += 5.6
    assert await office.look(dispatcher) == 2


async def test_after_a_restart_what_is_left_of_the_wait_counts(office: Office) -> None:
    assert await office.look(office.dispatcher()) == 1
    office.clocks.wall += timedelta(seconds=3)
    restarted = office.dispatcher()
    office.clocks.monotonic = 0.0
    assert await office.look(restarted) == 1
    office.clocks.monotonic = 2.6
    assert await office.look(restarted) == 2


async def test_the_last_failure_is_the_end_until_somebody_redelivers(office: Office) -> None:
    dispatcher = office.dispatcher()
    for _ in range(30):
        await office.look(dispatcher)
        office.clocks.monotonic += 30 * 3600
    assert len(office.receiver.received) == 10
    (row,) = await office.bench.rows(tables.deliveries)
    assert (row.state, row.attempts, row.status) == ("dead", 10, 500)
    assert len(set(office.receiver.ids())) == 1


async def test_a_delivered_message_is_not_sent_again(office: Office) -> None:
    office.receiver.behaves = answers(200)
    dispatcher = office.dispatcher()
    for _ in range(3):
        assert await office.look(dispatcher) == 1
    assert await office.look(office.dispatcher()) == 1
