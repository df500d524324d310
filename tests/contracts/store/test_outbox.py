"""Events reach the bus at least once and in order, whatever the database and whenever somebody dies."""

import asyncio
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Table

from shared.bus.embedded import EmbeddedBus
from shared.bus.port import Message, Record, TopicSpec
from shared.errors import OutOfSpace, Unavailable
from shared.outbox import BATCH, Outbox, Relay, first_ids
from shared.store.engine import Store
from shared.store.leases import Lease

pytestmark = pytest.mark.slow

TOPIC = TopicSpec("things", partitions=1)
KILLED_AFTER_PUBLISHING = Path(__file__).with_name("killed_after_publishing.py")


class Gate(EmbeddedBus):
    """The real bus, with a door that can be shut."""

    shut_with: Exception | None = None
    slow_until: asyncio.Event | None = None
    tries = 0

    async def publish(self, records: Sequence[Record]) -> None:
        self.tries += 1
        if self.slow_until is not None:
            await self.slow_until.wait()
        if self.shut_with is not None:
            raise self.shut_with
        await super().publish(records)


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Gate]:
    bus = Gate(tmp_path / "bus.sqlite")
    await bus.ensure_topics([TOPIC])
    yield bus
    await bus.close()


@pytest.fixture
def outbox(outbox_rows: Table) -> Outbox:
    return Outbox(outbox_rows, "example")


@pytest.fixture
def relay(store: Store, outbox: Outbox, bus: Gate, leases: Table) -> Relay:
    return Relay(store, outbox, bus, Lease(store, leases, "relay", "one"))


@asynccontextmanager
async def running(*relays: Relay) -> AsyncIterator[asyncio.Event]:
    stopping = asyncio.Event()
    tasks = [asyncio.create_task(relay.run(stopping)) for relay in relays]
    try:
        yield stopping
    finally:
        stopping.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 10)


async def add(store: Store, outbox: Outbox, *things: tuple[str, int]) -> None:
    records = [Record(TOPIC.name, key, str(number).encode(), {"ce_id": f"{key}-{number}"}) for key, number in things]
    await store.together(lambda c: outbox.add_records(c, records))
    outbox.wake()


async def published(bus: EmbeddedBus) -> list[Message]:
    found: list[Message] = []
    async for batch in bus.follow(TOPIC.name):
        if not batch:
            break
        found += batch
    return found


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def depth(store: Store, outbox: Outbox) -> int:
    async with store.read() as connection:
        return await outbox.depth(connection)


def numbers_by_key(messages: Sequence[Message]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for message in messages:
        found[message.key].append(int(message.value or b""))
    return found


async def test_everything_goes_out_in_order_and_whole(store: Store, outbox: Outbox, bus: Gate, relay: Relay) -> None:
    things = [(f"k{n % 7}", n) for n in range(2 * BATCH + 10)]
    await add(store, outbox, *things)
    async with running(relay):
        await until(lambda: bus.tries == 3)
    messages = await published(bus)
    assert [(m.key, int(m.value or b"")) for m in messages] == things
    assert messages[3].headers["ce_id"] == "k3-3"
    assert await depth(store, outbox) == 0


async def test_what_was_rolled_back_never_goes_out(store: Store, outbox: Outbox, bus: Gate, relay: Relay) -> None:
    with pytest.raises(ZeroDivisionError):
        async with store.write() as connection:
            await outbox.add_records(connection, [Record(TOPIC.name, "k", b"0")])
            raise ZeroDivisionError
    assert await relay.publish_batch() == (0, False)
    assert await published(bus) == []


async def test_rows_of_a_replica_that_cannot_wake_us_go_out_too(
    store: Store, outbox: Outbox, bus: Gate, relay: Relay
) -> None:
    async with running(relay):
        for number in range(3):
            await add(store, Outbox(outbox.table, "replica"), ("k", number))
            await until(lambda number=number: bus.tries > number)  # type: ignore[misc]  # mypy types no default of a lambda
    assert numbers_by_key(await published(bus)) == {"k": [0, 1, 2]}


async def test_of_two_replicas_one_publishes(
    store: Store, outbox: Outbox, bus: Gate, relay: Relay, leases: Table
) -> None:
    other = Relay(store, Outbox(outbox.table, "example"), bus, Lease(store, leases, "relay", "two"))
    async with running(relay, other):
        for number in range(50):
            await add(store, outbox, ("k", number))
    assert numbers_by_key(await published(bus)) == {"k": list(range(50))}


@pytest.mark.parametrize("away", [Unavailable("gone"), OutOfSpace("full")])
async def test_a_bus_that_is_away_loses_nothing(
    store: Store, outbox: Outbox, bus: Gate, relay: Relay, away: Exception
) -> None:
    bus.shut_with = away
    async with running(relay):
        await add(store, outbox, ("k", 0))
        await until(lambda: bus.tries > 0)
        await add(store, outbox, ("k", 1))
        bus.shut_with = None
        await until(lambda: bus.tries > 1)
    assert numbers_by_key(await published(bus)) == {"k": [0, 1]}
    assert await depth(store, outbox) == 0


async def test_a_slow_bus_does_not_cost_the_lease(
    store: Store, outbox: Outbox, bus: Gate, relay: Relay, leases: Table
) -> None:
    """Else a second relay sends the same events, and the first sends them again after newer ones."""
    short = timedelta(seconds=1)
    slow = replace(relay, lease=replace(relay.lease, lasts=short))
    rival = Lease(store, leases, "relay", "rival", lasts=short)
    bus.slow_until = asyncio.Event()
    await add(store, outbox, ("k", 0))
    async with running(slow):
        await until(lambda: bus.tries == 1)
        end = time.monotonic() + 2 * short.total_seconds()
        while time.monotonic() < end:
            assert not await rival.take()
            await asyncio.sleep(0.1)
        bus.slow_until.set()
    assert numbers_by_key(await published(bus)) == {"k": [0]}


async def test_a_graceful_stop_leaves_nothing_behind(store: Store, outbox: Outbox, bus: Gate, relay: Relay) -> None:
    await add(store, outbox, ("k", 0))
    async with running(relay) as stopping:
        stopping.set()
    assert numbers_by_key(await published(bus)) == {"k": [0]}
    assert await Lease(store, relay.lease.table, "relay", "next").take()


async def test_the_number_of_a_published_row_never_comes_again(
    store: Store, outbox: Outbox, bus: Gate, relay: Relay
) -> None:
    """Else a relay that froze before it deleted its batch deletes later events instead."""
    await add(store, outbox, ("k", 0))
    first = await newest_id(store, outbox)
    await relay.publish_batch()
    await add(store, outbox, ("k", 1))
    assert await newest_id(store, outbox) > first


async def newest_id(store: Store, outbox: Outbox) -> int:
    async with store.read() as connection:
        rows = (await connection.execute(outbox.table.select())).all()
    return max(int(row.id) for row in rows)


async def test_killed_between_publish_and_delete_only_repeats(
    store: Store, store_url: str, outbox: Outbox, bus: Gate, relay: Relay, tmp_path: Path
) -> None:
    await add(store, outbox, *((f"k{n % 3}", n) for n in range(30)))
    script = [sys.executable, str(KILLED_AFTER_PUBLISHING), store_url, str(tmp_path / "bus.sqlite")]
    killed = await asyncio.to_thread(subprocess.run, script, check=False, timeout=30)
    assert killed.returncode == -signal.SIGKILL
    assert len(await published(bus)) == 30
    assert await depth(store, outbox) == 30

    async with running(relay):
        await until(lambda: bus.tries == 1)
    for numbers in numbers_by_key(await published(bus)).values():
        assert numbers == 2 * sorted(set(numbers))
    assert await depth(store, outbox) == 0


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [([], 0), ([5, 5, 5], 2), ([50, 1], 1), ([10], 1), ([1] * 10, 10)],
)
def test_a_batch_is_bounded_by_bytes(sizes: list[int], expected: int) -> None:
    assert first_ids(list(enumerate(sizes)), 10) == list(range(expected))
