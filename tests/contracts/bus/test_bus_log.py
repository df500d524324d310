"""What both buses promise about records and topics."""

import asyncio
from collections import defaultdict

from shared.bus.port import Bus, Message, Record, TopicSpec
from tests.contracts.bus.logs import PATIENCE, Log, nothing_more, records, take, values


async def followed(bus: Bus, topic: str, *, offset: int = 0) -> list[Message]:
    """All there is, up to the first empty list."""
    found: list[Message] = []
    async with asyncio.timeout(PATIENCE):
        async for messages in bus.follow(topic, offset=offset):
            if not messages:
                break
            found += messages
    return found


async def test_a_record_arrives_as_it_was_sent(bus: Bus) -> None:
    sent = Record("work", "schlüssel", b"\x00\xff", {"ce_id": "1", "title": "Hafen bei Dämmerung"})
    await bus.publish([sent])
    async with bus.subscribe("g", ["work"]) as subscription:
        (got,) = await take(subscription, 1)
    assert (got.topic, got.key, got.value, dict(got.headers)) == (sent.topic, sent.key, sent.value, dict(sent.headers))
    assert got.timestamp_ms > 1_700_000_000_000


async def test_order_holds_within_a_key(bus: Bus) -> None:
    for start in range(0, 200, 40):
        await bus.publish(records("work", 40, start=start))
    async with bus.subscribe("g", ["work"]) as subscription:
        messages = await take(subscription, 200)
    by_key: dict[str, list[int]] = defaultdict(list)
    for message in messages:
        by_key[message.key].append(int(message.value or b""))
    assert len(by_key) == 20
    assert all(numbers == sorted(numbers) for numbers in by_key.values())
    assert values(messages) == list(range(200))


async def test_concurrent_publishers_lose_nothing(bus: Bus) -> None:
    await asyncio.gather(*(bus.publish(records("work", 3, start=3 * i)) for i in range(50)))
    async with bus.subscribe("g", ["work"]) as subscription:
        assert values(await take(subscription, 150)) == list(range(150))


async def test_a_waiting_fetch_hears_of_a_new_record_at_once(log: Log, bus: Bus) -> None:
    async with bus.subscribe("g", ["work"]) as subscription:
        await nothing_more(subscription)
        waiting = asyncio.create_task(subscription.fetch(max_records=10, wait=20.0))
        await log.another().publish(records("work", 1))
        async with asyncio.timeout(5):
            assert values(await waiting) == [0]


async def test_fetch_keeps_to_its_limit_and_returns_empty_after_the_wait(bus: Bus) -> None:
    await bus.publish(records("work", 30))
    async with bus.subscribe("g", ["work"]) as subscription:
        first = await take(subscription, 1, commit=False)
        assert len(first) <= 50
        assert len(await subscription.fetch(max_records=7, wait=0.1)) <= 7
        await take(subscription, 30 - len(first) - 7, commit=False) if len(first) < 23 else None
    async with bus.subscribe("h", ["other"]) as subscription:
        assert await subscription.fetch(max_records=5, wait=0.1) == []


async def test_follow_reads_from_an_offset_and_says_when_it_has_caught_up(bus: Bus) -> None:
    await bus.publish(records("other", 10))
    assert [m.offset for m in await followed(bus, "other")] == list(range(10))
    assert [m.offset for m in await followed(bus, "other", offset=7)] == [7, 8, 9]
    assert await followed(bus, "other", offset=10) == []
    assert await bus.end_offset("other") == 10


async def test_follow_goes_on_with_what_another_process_adds(log: Log, bus: Bus) -> None:
    seen: list[int] = []
    async with asyncio.timeout(PATIENCE):
        async for messages in bus.follow("other"):
            seen += values(messages)
            if not messages and len(seen) < 20:
                await log.another().publish(records("other", 10, start=len(seen)))
            if len(seen) == 20:
                break
    assert seen == list(range(20))


async def test_a_compacted_topic_still_tells_the_last_of_each_key(bus: Bus) -> None:
    await bus.publish(records("latest", 30, keys=3))
    await bus.publish(records("latest", 3, keys=3, start=30))
    messages = await followed(bus, "latest")
    last = {message.key: message.value for message in messages}
    assert last == {"key-0": b"30", "key-1": b"31", "key-2": b"32"}
    assert await bus.end_offset("latest") == 33
    assert messages[-1].offset == 32


async def test_topics_that_exist_are_left_as_they_are(log: Log, bus: Bus) -> None:
    await bus.publish(records("other", 1))
    await log.another().ensure_topics([TopicSpec("other", 3), TopicSpec("new", 1)])
    await bus.publish(records("new", 1))
    assert (await bus.end_offset("other"), await bus.end_offset("new")) == (1, 1)


async def test_lag_counts_what_a_group_has_still_to_commit(bus: Bus) -> None:
    await bus.publish(records("work", 40))
    await bus.publish(records("other", 2))
    assert await bus.lag("g", ["work", "other"]) == 42
    async with bus.subscribe("g", ["work"]) as subscription:
        await take(subscription, 40)
    assert await bus.lag("g", ["work", "other"]) == 2
    assert await bus.lag("g", ["work"]) == 0


async def test_ping_is_silent_when_all_is_well(bus: Bus) -> None:
    await bus.ping()
