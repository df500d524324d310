"""A process of its own that belongs to a group: `member.py FILE GROUP work|hold`.

`work` prints each number once it is committed, until its input closes. `hold` prints what it fetched, waits for a
line, then commits.
"""

import asyncio
import sys
from pathlib import Path

from shared.bus.embedded import EmbeddedBus
from shared.bus.port import Bus, Message

SESSION_SECONDS = 2.0


def say(messages: list[Message]) -> None:
    for message in messages:
        print(int(message.value or b"-1"), flush=True)


async def work(bus: Bus, group: str, asked_to_stop: asyncio.Task[str]) -> None:
    async with bus.subscribe(group, ["work"]) as subscription:
        print("joined", flush=True)
        while not asked_to_stop.done():
            messages = await subscription.fetch(max_records=10, wait=0.2)
            await asyncio.sleep(0.005)
            await subscription.commit(messages)
            say(messages)


async def hold(bus: Bus, group: str, asked_to_go_on: asyncio.Task[str]) -> None:
    async with bus.subscribe(group, ["work"]) as subscription:
        messages: list[Message] = []
        while not messages:
            messages = await subscription.fetch(max_records=100, wait=1.0)
        say(messages)
        await asked_to_go_on
        await subscription.commit(messages)
        print("committed", flush=True)


async def main(file: str, group: str, manner: str) -> None:
    bus = EmbeddedBus(Path(file), session_seconds=SESSION_SECONDS)
    told = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
    await (hold if manner == "hold" else work)(bus, group, told)
    await bus.close()


asyncio.run(main(*sys.argv[1:]))
