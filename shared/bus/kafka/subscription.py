"""A member of a Kafka consumer group."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared.bus.kafka.clients import STOP_SECONDS, plainly
from shared.bus.port import Message

HAND_OVER_SECONDS = 8.0  # how long a rebalance waits for the batch in hand
_COMMIT_SECONDS = 15.0
_POLL_MS = 60_000
_NOWHERE = TopicPartition("-", 0)

_log = structlog.get_logger(__name__)


@dataclass
class _Out:
    """What was handed out of a partition and is not committed: up to `end`, fetched after so many rebalances."""

    end: int
    rebalances: int


class KafkaSubscription(ConsumerRebalanceListener):
    """Beats by aiokafka's own background task. A rebalance waits a while for what is in hand to be committed."""

    def __init__(self, consumer: AIOKafkaConsumer, prefix: str) -> None:
        self._consumer = consumer
        self._prefix = prefix
        self._polling: asyncio.Task[list[Message]] | None = None
        self._out: dict[TopicPartition, _Out] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._revoking = False
        self._rebalances = 0

    async def fetch(self, *, max_records: int, wait: float) -> list[Message]:
        """See `Subscription`. During a rebalance aiokafka keeps a poll waiting, so the poll outlives this call."""
        if self._polling is None:
            self._polling = asyncio.create_task(self._poll(max_records), name="kafka-poll")
        done, _ = await asyncio.wait({self._polling}, timeout=wait)
        if not done:
            return []
        polled, self._polling = self._polling, None
        with plainly("fetch"):
            return [message for message in polled.result() if self._place(message) in self._out]

    async def commit(self, messages: Sequence[Message]) -> None:
        """See `Subscription`."""
        ends: dict[TopicPartition, int] = {}
        for place, batch in self._by_place(messages).items():
            if not await self._was_taken_over(place, batch[0].offset):
                ends[place] = batch[-1].offset + 1
        if not ends:
            return
        try:
            with plainly("commit"):
                async with asyncio.timeout(_COMMIT_SECONDS):
                    await self._consumer.commit(ends)
        except (CommitFailedError, IllegalStateError) as error:
            _log.info("commit left out", reason=str(error))
            self._forget(ends)
        else:
            self._settle(ends)

    async def rewind(self, messages: Sequence[Message]) -> None:
        """See `Subscription`."""
        for place, batch in self._by_place(messages).items():
            with suppress(IllegalStateError):
                self._consumer.seek(place, batch[0].offset)
            self._forget([place])

    async def keep_alive(self) -> None:
        """See `Subscription`. Polls a partition that does not exist: resets max.poll.interval, consumes nothing."""
        if not self._revoking and self._polling is None:
            with plainly("keep alive"):
                await self._consumer.getmany(_NOWHERE, timeout_ms=0)

    async def leave(self) -> None:
        """Leaves the group, as far as the broker answers."""
        self._forget(list(self._out))
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.wait({self._polling})
        with suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._consumer.stop()

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Kafka hands over only when this returns: what is in hand is then neither lost nor done twice."""
        self._revoking = True
        try:
            async with asyncio.timeout(HAND_OVER_SECONDS):
                await self._idle.wait()
        except TimeoutError:
            _log.warning("rebalance does not wait longer for the batch in hand", partitions=len(revoked))
        finally:
            self._revoking = False

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """From here on each position is what was committed."""
        self._rebalances += 1
        self._forget([place for place in self._out if place not in assigned])

    async def _poll(self, max_records: int) -> list[Message]:
        batches = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=max_records)
        for place, records in batches.items():
            self._out[place] = _Out(records[-1].offset + 1, self._rebalances)
        if batches:
            self._idle.clear()
        return [to_message(record, self._prefix) for records in batches.values() for record in records]

    async def _was_taken_over(self, place: TopicPartition, first: int) -> bool:
        """Whether another member went on with the partition after a rebalance that did not wait for us."""
        if self._out[place].rebalances == self._rebalances:
            return False
        with plainly("commit"):
            async with asyncio.timeout(_COMMIT_SECONDS):
                taken = (await self._consumer.committed(place) or 0) > first
        if taken:
            self._forget([place])
        return taken

    def _settle(self, ends: dict[TopicPartition, int]) -> None:
        for place, end in ends.items():
            out = self._out.get(place)
            if out is None:
                continue
            if out.rebalances != self._rebalances:
                with suppress(IllegalStateError):
                    self._consumer.seek(place, end)
            if end >= out.end:
                self._forget([place])

    def _forget(self, places: Collection[TopicPartition]) -> None:
        for place in places:
            self._out.pop(place, None)
        if not self._out:
            self._idle.set()

    def _by_place(self, messages: Sequence[Message]) -> dict[TopicPartition, list[Message]]:
        """Those in hand, by partition and in order."""
        grouped: dict[TopicPartition, list[Message]] = {}
        for message in sorted(messages, key=lambda message: message.offset):
            place = self._place(message)
            if place in self._out:
                grouped.setdefault(place, []).append(message)
        return grouped

    def _place(self, message: Message) -> TopicPartition:
        return TopicPartition(self._prefix + message.topic, message.partition)


def to_message(record: ConsumerRecord, prefix: str) -> Message:
    """A record as our services see it."""
    return Message(
        topic=record.topic.removeprefix(prefix),
        partition=record.partition,
        offset=record.offset,
        key=(record.key or b"").decode("utf-8", "replace"),
        value=record.value,
        headers={name: value.decode("utf-8", "replace") for name, value in record.headers},
        timestamp_ms=record.timestamp,
    )
