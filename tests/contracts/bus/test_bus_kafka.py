"""What only Kafka does: it hands partitions over although a member is still busy with them."""

import pytest

from shared.bus.port import Bus
from tests.contracts.bus.logs import Log, reading, records, take, until, values

pytestmark = pytest.mark.parametrize("log", [pytest.param("kafka", marks=pytest.mark.real)], indirect=True)


async def test_a_member_that_is_busy_for_too_long_commits_only_what_it_still_holds(log: Log, bus: Bus) -> None:
    await bus.publish(records("work", 40))
    async with bus.subscribe("g", ["work"]) as busy:
        mine = await take(busy, 40, commit=False)
        async with reading(log.another(), "g", "work") as guest:
            await until(lambda: guest.taken)
            await until(lambda: len(guest.taken) == sum(m.partition in guest.partitions() for m in mine))
            lost = guest.partitions()
            kept = [message for message in mine if message.partition not in lost]
            assert 0 < len(kept) < 40
            await busy.commit(mine)
            await bus.publish(records("work", 40, start=40))
            more = await take(busy, sum(m.partition not in lost for m in mine))
            await until(lambda: len(more) + len(guest.taken) >= 80 - len(kept))
    assert values([*kept, *more, *guest.taken]) == list(range(80))
    assert await bus.lag("g", ["work"]) == 0
