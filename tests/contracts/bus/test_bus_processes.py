"""The embedded log shared by real processes: joining, kill -9, a frozen one that comes back."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from shared.bus.embedded import EmbeddedBus
from shared.bus.port import Bus, TopicSpec
from tests.contracts.bus.logs import PATIENCE, records, take, until, values

pytestmark = pytest.mark.slow

Start = Callable[[str], Awaitable["Member"]]


class Member:
    """A child process and the numbers it reported."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.numbers: list[int] = []
        self.words: list[str] = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            word = line.decode().strip()
            if word.isdigit():
                self.numbers.append(int(word))
            else:
                self.words.append(word)

    async def finish(self) -> None:
        """Lets it go on to its end."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.close()
        async with asyncio.timeout(PATIENCE):
            await self._reading
            await self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@pytest.fixture
async def shared_bus(tmp_path: Path) -> AsyncIterator[Bus]:
    bus = EmbeddedBus(tmp_path / "bus.db", session_seconds=2.0)
    await bus.ensure_topics([TopicSpec("work", 4)])
    yield bus
    await bus.close()


@pytest.fixture
async def start(tmp_path: Path, shared_bus: Bus) -> AsyncIterator[Start]:
    started: list[Member] = []

    async def start(manner: str) -> Member:
        script = Path(__file__).with_name("member.py")
        command = [sys.executable, str(script), str(tmp_path / "bus.db"), "g", manner]
        member = Member(await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE))
        started.append(member)
        return member

    yield start
    for member in started:
        if member.process.returncode is None:
            member.signal(signal.SIGKILL)
        await member.finish()


async def test_processes_share_a_group_without_loss_or_doubles(shared_bus: Bus, start: Start) -> None:
    members = [await start("work") for _ in range(3)]
    await until(lambda: all(member.words for member in members))
    sent = 0
    async with asyncio.timeout(PATIENCE):
        while not all(member.numbers for member in members):
            await shared_bus.publish(records("work", 40, start=sent))
            sent += 40
            await asyncio.sleep(0.05)
    await members[-1].finish()
    await shared_bus.publish(records("work", 100, start=sent))
    sent += 100
    await until(lambda: sum(len(member.numbers) for member in members) >= sent)
    assert sorted(n for member in members for n in member.numbers) == list(range(sent))


async def test_the_work_of_a_killed_process_is_taken_over_at_once(shared_bus: Bus, start: Start) -> None:
    await shared_bus.publish(records("work", 40))
    victim = await start("hold")
    await until(lambda: len(victim.numbers) == 40)
    victim.signal(signal.SIGKILL)
    await victim.process.wait()
    started = asyncio.get_running_loop().time()
    async with shared_bus.subscribe("g", ["work"]) as subscription:
        assert values(await take(subscription, 40)) == list(range(40))
    assert asyncio.get_running_loop().time() - started < 1.0


async def test_the_late_commit_of_a_frozen_process_is_refused(shared_bus: Bus, start: Start) -> None:
    await shared_bus.publish(records("work", 40))
    zombie = await start("hold")
    await until(lambda: len(zombie.numbers) == 40)
    zombie.signal(signal.SIGSTOP)
    async with shared_bus.subscribe("g", ["work"]) as heir:
        taken = await take(heir, 40, commit=False)
        zombie.signal(signal.SIGCONT)
        await zombie.finish()
        assert zombie.words == ["committed"]
        assert await shared_bus.lag("g", ["work"]) == 40
        await heir.commit(taken)
        assert await shared_bus.lag("g", ["work"]) == 0
