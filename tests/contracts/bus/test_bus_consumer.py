"""The consumer loop over both buses: what each kind of error does, and how it stops."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from shared.bus.consumer import Consumer, ConsumerSettings, TooManyRejections
from shared.bus.dead import read_dead, restore
from shared.bus.port import Bus, Message, TopicSpec
from shared.errors import Reject, Retry, Unavailable
from tests.contracts.bus.logs import PATIENCE, Log, records, take, until

pytestmark = pytest.mark.slow

QUICK = ConsumerSettings(wait=1.0, keep_alive=0.3, first_pause=0.02, longest_pause=0.1, rejections_in_a_row=5)


@dataclass
class Handled:
    """A handler that notes what it was given, after `act` had its say."""

    act: Callable[[Sequence[Message]], Awaitable[None] | None] = lambda messages: None
    batches: list[list[int]] = field(default_factory=list)

    async def __call__(self, messages: Sequence[Message]) -> None:
        answer = self.act(messages)
        if answer is not None:
            await answer
        self.batches.append([int(m.value or b"") for m in messages])

    @property
    def numbers(self) -> list[int]:
        return sorted(n for batch in self.batches for n in batch)


@dataclass
class Noted:
    """An observer that keeps what it hears."""

    done: int = 0
    retries: list[Exception] = field(default_factory=list)
    rejections: list[tuple[int, str]] = field(default_factory=list)
    lag: list[int] = field(default_factory=list)

    def handled(self, messages: int, seconds: float) -> None:
        assert seconds >= 0
        self.done += messages

    def retried(self, messages: int, error: Exception) -> None:
        self.retries.append(error)

    def rejected(self, message: Message, code: str) -> None:
        self.rejections.append((message.offset, code))

    def lagging(self, records: int) -> None:
        self.lag.append(records)


@asynccontextmanager
async def consuming(bus: Bus, handler: Handled, *, observer: Noted | None = None) -> AsyncIterator[None]:
    """A consumer of `other` for as long as the block lasts, stopped gracefully."""
    stopping = asyncio.Event()
    consumer = Consumer(bus, "g", ["other"], handler, settings=QUICK, observer=observer)
    task = asyncio.create_task(consumer.run(stopping))
    try:
        yield
    finally:
        stopping.set()
        async with asyncio.timeout(PATIENCE):
            await task


async def dead_letters(bus: Bus, count: int) -> list[Message]:
    async with bus.subscribe("dead-reader", ["other.dead"]) as subscription:
        return await take(subscription, count)


async def committed_up_to(bus: Bus) -> int:
    return await bus.end_offset("other") - await bus.lag("g", ["other"])


def refuse(*bad: int) -> Callable[[Sequence[Message]], None]:
    def act(messages: Sequence[Message]) -> None:
        for message in messages:
            if int(message.value or b"") in bad:
                raise Reject("bad_number", f"{message.value!r} will never do")

    return act


async def test_batches_are_handled_and_committed(bus: Bus) -> None:
    handler, noted = Handled(), Noted()
    async with consuming(bus, handler, observer=noted):
        await bus.publish(records("other", 50))
        await until(lambda: noted.done == 50)
    assert handler.numbers == list(range(50))
    assert len(handler.batches) < 50
    assert await committed_up_to(bus) == 50
    assert noted.lag[0] in (0, 50)


@pytest.mark.parametrize("error", [Retry("locked"), Unavailable("gone")])
async def test_retry_hands_out_the_same_messages_again(bus: Bus, error: Exception) -> None:
    errors = [error, error, error]

    def act(_: Sequence[Message]) -> None:
        if errors:
            raise errors.pop()

    handler, noted = Handled(act), Noted()
    await bus.publish(records("other", 20))
    async with consuming(bus, handler, observer=noted):
        await until(lambda: noted.done == 20)
    assert handler.numbers == list(range(20))
    assert noted.retries == [error, error, error]
    assert noted.rejections == []


async def test_only_the_bad_message_of_a_batch_is_rejected(bus: Bus) -> None:
    handler, noted = Handled(refuse(7)), Noted()
    await bus.publish(records("other", 20))
    async with consuming(bus, handler, observer=noted):
        await until(lambda: noted.done == 20)
    assert handler.numbers == [n for n in range(20) if n != 7]
    assert noted.rejections == [(7, "bad_number")]
    assert await committed_up_to(bus) == 20
    assert await bus.end_offset("other.dead") == 1


async def test_a_dead_letter_tells_its_story_and_can_be_put_back(bus: Bus) -> None:
    sent = records("other", 3)
    await bus.publish(sent)
    noted = Noted()
    async with consuming(bus, Handled(refuse(1)), observer=noted):
        await until(lambda: noted.done == 3)
    (dead,) = await dead_letters(bus, 1)
    letter = read_dead(dead)
    assert (letter.reason, letter.detail) == ("bad_number", "b'1' will never do")
    assert (letter.topic, letter.partition, letter.offset, letter.group) == ("other", 0, 1, "g")
    assert letter.sha256 == hashlib.sha256(b"1").hexdigest()
    assert letter.at_ms >= dead.timestamp_ms - 60_000
    assert restore(dead) == sent[1]


async def test_a_retry_after_a_rejection_rejects_nothing_twice(bus: Bus) -> None:
    trouble = [Retry("locked")]

    def act(messages: Sequence[Message]) -> None:
        refuse(2)(messages)
        if trouble and int(messages[0].value or b"") == 5:
            raise trouble.pop()

    handler, noted = Handled(act), Noted()
    await bus.publish(records("other", 10))
    async with consuming(bus, handler, observer=noted):
        await until(lambda: noted.done == 10)
    assert noted.rejections == [(2, "bad_number")]
    assert handler.numbers == [n for n in range(10) if n != 2]


async def test_the_breaker_stops_after_so_many_in_a_row(bus: Bus) -> None:
    handler = Handled(refuse(*range(3, 20)))
    await bus.publish(records("other", 20))
    with pytest.raises(TooManyRejections, match="5 messages in a row"):
        await Consumer(bus, "g", ["other"], handler, settings=QUICK).run(asyncio.Event())
    assert handler.numbers == [0, 1, 2]
    assert await committed_up_to(bus) == 7
    assert await bus.end_offset("other.dead") == 4


async def test_a_success_resets_the_breaker(bus: Bus) -> None:
    handler, noted = Handled(refuse(*(n for n in range(20) if n % 5))), Noted()
    await bus.publish(records("other", 20))
    async with consuming(bus, handler, observer=noted):
        await until(lambda: noted.done == 20)
    assert handler.numbers == [0, 5, 10, 15]
    assert len(noted.rejections) == 16


async def test_any_other_error_ends_the_run_with_the_offset_uncommitted(bus: Bus) -> None:
    def act(messages: Sequence[Message]) -> None:
        raise ZeroDivisionError

    await bus.publish(records("other", 5))
    with pytest.raises(ZeroDivisionError):
        await Consumer(bus, "g", ["other"], Handled(act), settings=QUICK).run(asyncio.Event())
    assert await committed_up_to(bus) == 0


async def test_a_graceful_stop_finishes_the_batch_in_hand(bus: Bus) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def act(_: Sequence[Message]) -> None:
        begun.set()
        await go_on.wait()

    handler, stopping = Handled(lambda messages: act(messages)), asyncio.Event()
    await bus.publish(records("other", 5))
    run = asyncio.create_task(Consumer(bus, "g", ["other"], handler, settings=QUICK).run(stopping))
    async with asyncio.timeout(PATIENCE):
        await begun.wait()
        stopping.set()
        go_on.set()
        await run
    assert handler.numbers == list(range(5))
    assert await committed_up_to(bus) == 5


async def test_an_idle_consumer_stops_at_once(bus: Bus) -> None:
    noted = Noted()
    async with consuming(bus, Handled(), observer=noted):
        await bus.publish(records("other", 1))
        await until(lambda: noted.done == 1)
        started = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - started < 5


async def test_a_cancelled_run_cancels_its_handler_and_commits_nothing(bus: Bus) -> None:
    begun = asyncio.Event()

    async def act(_: Sequence[Message]) -> None:
        begun.set()
        await asyncio.Event().wait()

    await bus.publish(records("other", 5))
    consumer = Consumer(bus, "g", ["other"], Handled(lambda messages: act(messages)), settings=QUICK)
    run = asyncio.create_task(consumer.run(asyncio.Event()))
    async with asyncio.timeout(PATIENCE):
        await begun.wait()
        run.cancel()
        with suppress(asyncio.CancelledError):
            await run
    assert await committed_up_to(bus) == 0


async def test_a_slow_handler_keeps_its_partitions(log: Log, bus: Bus) -> None:
    """Longer than the session lasts: heartbeats go on while the handler works."""
    begun = asyncio.Event()

    async def act(messages: Sequence[Message]) -> None:
        if not begun.is_set():
            begun.set()
            await asyncio.sleep(12.0)

    await bus.ensure_topics([TopicSpec("other.dead", 1)])
    slow, other, noted = Handled(lambda messages: act(messages)), Handled(), Noted()
    await bus.publish(records("other", 5))
    async with consuming(bus, slow, observer=noted):
        async with asyncio.timeout(PATIENCE):
            await begun.wait()
        async with consuming(log.another(), other):
            await until(lambda: noted.done == 5)
        assert slow.numbers == list(range(5))
        assert other.numbers == []
