"""What both buses promise about groups: shares, commits, rewinding, joining and leaving."""

import asyncio
from contextlib import AsyncExitStack

from shared.bus.port import Bus, Message
from tests.contracts.bus.logs import PATIENCE, Log, nothing_more, reading, records, take, until, values


async def test_a_committed_message_does_not_come_again(log: Log, bus: Bus) -> None:
    await bus.publish(records("work", 20))
    async with bus.subscribe("g", ["work"]) as subscription:
        await take(subscription, 20)
    await bus.publish(records("work", 5, start=20))
    async with log.another().subscribe("g", ["work"]) as subscription:
        assert values(await take(subscription, 5)) == [20, 21, 22, 23, 24]


async def test_an_uncommitted_message_comes_again(log: Log, bus: Bus) -> None:
    await bus.publish(records("other", 10))
    async with bus.subscribe("g", ["other"]) as subscription:
        messages = await take(subscription, 10, commit=False)
        await subscription.commit(messages[:4])
    async with log.another().subscribe("g", ["other"]) as subscription:
        assert values(await take(subscription, 6)) == [4, 5, 6, 7, 8, 9]


async def test_rewind_hands_out_the_same_messages(bus: Bus) -> None:
    await bus.publish(records("work", 20))
    async with bus.subscribe("g", ["work"]) as subscription:
        messages = await take(subscription, 20, commit=False)
        await subscription.rewind(messages[:])
        assert values(await take(subscription, 20)) == list(range(20))
        await nothing_more(subscription)


async def test_rewind_to_the_middle_of_a_batch(bus: Bus) -> None:
    await bus.publish(records("other", 10))
    async with bus.subscribe("g", ["other"]) as subscription:
        messages = await take(subscription, 10, commit=False)
        await subscription.commit(messages[:6])
        await subscription.rewind(messages[6:])
        assert values(await take(subscription, 4)) == [6, 7, 8, 9]


async def test_groups_do_not_disturb_one_another(bus: Bus) -> None:
    await bus.publish(records("work", 10))
    async with bus.subscribe("g", ["work"]) as one, bus.subscribe("h", ["work"]) as two:
        assert values(await take(one, 10)) == values(await take(two, 10)) == list(range(10))


async def test_members_share_the_partitions(log: Log, bus: Bus) -> None:
    async with reading(bus, "g", "work") as one, reading(log.another(), "g", "work") as two:
        sent = 0
        async with asyncio.timeout(PATIENCE):
            while not (one.taken and two.taken):
                await bus.publish(records("work", 20, start=sent))
                sent += 20
                await asyncio.sleep(0.05)
        await until(lambda: len(one.taken) + len(two.taken) >= sent)
        settled = (len(one.taken), len(two.taken))
        await bus.publish(records("work", 80, start=sent))
        await until(lambda: len(one.taken) + len(two.taken) >= sent + 80)
    late_one, late_two = one.taken[settled[0] :], two.taken[settled[1] :]
    assert {m.partition for m in late_one}.isdisjoint(m.partition for m in late_two)
    assert values([*one.taken, *two.taken]) == list(range(sent + 80))


async def test_nothing_is_lost_or_doubled_while_members_come_and_go(log: Log, bus: Bus) -> None:
    readers = []
    sent = 0
    async with reading(bus, "g", "work") as steady:
        readers.append(steady)
        for _ in range(3):
            async with reading(log.another(), "g", "work") as guest:
                readers.append(guest)
                async with asyncio.timeout(PATIENCE):
                    while not guest.taken:
                        await bus.publish(records("work", 10, start=sent))
                        sent += 10
                        await asyncio.sleep(0.05)
        await until(lambda: sum(len(reader.taken) for reader in readers) >= sent)
    assert values([m for reader in readers for m in reader.taken]) == list(range(sent))


async def test_a_busy_member_hands_over_only_what_is_done(log: Log, bus: Bus) -> None:
    await bus.publish(records("work", 40))
    async with bus.subscribe("g", ["work"]) as busy:
        mine = await take(busy, 40, commit=False)
        async with reading(log.another(), "g", "work") as guest:
            for _ in range(3):
                await busy.keep_alive()
                await asyncio.sleep(0.3)
            assert guest.taken == []
            await busy.commit(mine)
            await bus.publish(records("work", 40, start=40))
            rest: list[Message] = []
            async with asyncio.timeout(PATIENCE):
                while len(rest) + len(guest.taken) < 40:
                    batch = await busy.fetch(max_records=5, wait=0.2)
                    await busy.commit(batch)
                    rest += batch
    assert values([*rest, *guest.taken]) == list(range(40, 80))


async def test_a_commit_for_a_partition_that_was_lost_is_left_out(log: Log, bus: Bus, stack: AsyncExitStack) -> None:
    """The offsets belong to the next owner, whatever a late one says."""
    await bus.publish(records("other", 10))
    late = await stack.enter_async_context(bus.subscribe("g", ["other"]))
    messages = await take(late, 10, commit=False)
    await stack.aclose()
    await late.commit(messages)
    async with log.another().subscribe("g", ["other"]) as subscription:
        assert values(await take(subscription, 10)) == list(range(10))


async def test_several_topics_in_one_subscription(bus: Bus) -> None:
    await bus.publish(records("work", 10) + records("other", 10, start=10))
    async with bus.subscribe("g", ["work", "other"]) as subscription:
        messages = await take(subscription, 20)
        assert values(messages) == list(range(20))
        assert {m.topic for m in messages} == {"work", "other"}
