"""The Kafka bus: the port over aiokafka, with the settings that make it safe.

Idempotent producer and acks=all; no auto-commit; a new group starts at the earliest record.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.bus.kafka.clients import Lazy, plainly
from shared.bus.kafka.publisher import Publisher
from shared.bus.kafka.security import client_options
from shared.bus.kafka.subscription import HAND_OVER_SECONDS, KafkaSubscription, to_message
from shared.bus.port import Message, Record, Subscription, TopicSpec
from shared.errors import Unavailable
from shared.settings.models import KafkaSettings

_SESSION_MS = 10_000
_HEARTBEAT_MS = 1_000
_MAX_POLL_MS = 3_600_000  # the consumer loop keeps alive while a handler works
_REQUEST_MS = 30_000
_LARGEST_RECORD = 8 * 1024 * 1024
_JOIN_SECONDS = 60.0
_FOLLOW_MS = 1_000
_RECONNECT_SECONDS = 1.0
_FOLLOW_BATCH = 500


class KafkaBus:
    """`servers` is `host:port,host:port`. `prefix` sets topics and groups apart from others on the same brokers."""

    def __init__(
        self,
        servers: str,
        *,
        settings: KafkaSettings | None = None,
        prefix: str = "",
    ) -> None:
        self._servers = servers
        self._settings = settings or KafkaSettings()
        self._options = client_options(self._settings)
        self._prefix = prefix
        self._publisher = Publisher(self._new_producer, prefix)
        self._admin = Lazy(self._new_admin, lambda admin: admin.close())
        self._reader = Lazy(self._new_reader, lambda reader: reader.stop())

    async def ensure_topics(self, topics: Sequence[TopicSpec]) -> None:
        """See `Bus`."""
        async with self._admin.using("create topics") as admin:
            present = set(await admin.list_topics())
            missing = [topic for topic in topics if self._prefix + topic.name not in present]
            if not missing:
                return
            copies = self._settings.replication_factor
            if copies < 1:
                copies = min(3, len((await admin.describe_cluster())["brokers"]))
            answer = await admin.create_topics([self._new_topic(topic, copies) for topic in missing])
        for name, code, *rest in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error(f"topic {name}: {rest}")

    async def publish(self, records: Sequence[Record]) -> None:
        """See `Bus`. What this raised about may be there in part, or still arrive."""
        await self._publisher.publish(records)

    @asynccontextmanager
    async def subscribe(self, group: str, topics: Sequence[str]) -> AsyncIterator[Subscription]:
        """See `Bus`."""
        consumer = self._new_member(group)
        subscription = KafkaSubscription(consumer, self._prefix)
        consumer.subscribe([self._prefix + topic for topic in topics], listener=subscription)
        try:
            with plainly(f"join {group}"):
                async with asyncio.timeout(_JOIN_SECONDS):
                    await consumer.start()
            yield subscription
        finally:
            await subscription.leave()

    async def follow(self, topic: str, *, offset: int = 0) -> AsyncGenerator[list[Message], None]:
        """See `Bus`. Waits for brokers that are away."""
        place = TopicPartition(self._prefix + topic, 0)
        while True:
            try:
                async with self._assigned(place) as reader:
                    async for messages in self._read_on(reader, place, offset):
                        offset = messages[-1].offset + 1 if messages else offset
                        yield messages
            except Unavailable:
                await asyncio.sleep(_RECONNECT_SECONDS)

    async def end_offset(self, topic: str, partition: int = 0) -> int:
        """See `Bus`."""
        place = TopicPartition(self._prefix + topic, partition)
        return (await self._end_offsets([place]))[place]

    async def lag(self, group: str, topics: Sequence[str]) -> int:
        """See `Bus`."""
        names = [self._prefix + topic for topic in topics]
        async with self._admin.using("lag") as admin:
            found = await admin.describe_topics(names)
            places = [TopicPartition(t["topic"], p["partition"]) for t in found for p in t["partitions"]]
            committed = await admin.list_consumer_group_offsets(self._prefix + group, partitions=places)
        ends = await self._end_offsets(places)
        done = {place: max(0, committed[place].offset) if place in committed else 0 for place in places}
        return sum(max(0, ends[place] - done[place]) for place in places)

    async def ping(self) -> None:
        """See `Bus`."""
        async with self._admin.using("ping") as admin:
            await admin.describe_cluster()

    async def close(self) -> None:
        """See `Bus`."""
        for client in (self._publisher, self._admin, self._reader):
            await client.close()

    @asynccontextmanager
    async def _assigned(self, place: TopicPartition) -> AsyncIterator[AIOKafkaConsumer]:
        reader = self._new_reader()
        try:
            with plainly(f"follow {place.topic}"):
                await reader.start()
                reader.assign([place])
                yield reader
        finally:
            await reader.stop()

    async def _read_on(
        self, reader: AIOKafkaConsumer, place: TopicPartition, offset: int
    ) -> AsyncIterator[list[Message]]:
        reader.seek(place, offset)
        end = (await reader.end_offsets([place]))[place]
        while True:
            if offset >= end:
                yield []
            batch = await reader.getmany(timeout_ms=_FOLLOW_MS, max_records=_FOLLOW_BATCH)
            if records := batch.get(place):
                offset = records[-1].offset + 1
                yield [to_message(record, self._prefix) for record in records]
            end = max(end, reader.highwater(place) or 0)

    async def _end_offsets(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        async with self._reader.using("end offsets") as reader:
            return await reader.end_offsets(places)

    def _new_producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self._servers,
            enable_idempotence=True,
            acks="all",
            compression_type="lz4",
            request_timeout_ms=_REQUEST_MS,
            max_request_size=_LARGEST_RECORD,
            **self._options,
        )

    def _new_admin(self) -> AIOKafkaAdminClient:
        return AIOKafkaAdminClient(bootstrap_servers=self._servers, request_timeout_ms=_REQUEST_MS, **self._options)

    def _new_reader(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._servers,
            group_id=None,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            request_timeout_ms=_REQUEST_MS,
            **self._options,
        )

    def _new_member(self, group: str) -> AIOKafkaConsumer:
        # The stock assignor keeps what its member held on the class: two groups in one process would mix.
        own = type("OwnStickyAssignor", (StickyPartitionAssignor,), {"member_assignment": None})
        return AIOKafkaConsumer(
            bootstrap_servers=self._servers,
            group_id=self._prefix + group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=_SESSION_MS,
            heartbeat_interval_ms=_HEARTBEAT_MS,
            rebalance_timeout_ms=int(HAND_OVER_SECONDS * 1000) + 5 * _HEARTBEAT_MS,
            max_poll_interval_ms=_MAX_POLL_MS,
            partition_assignment_strategy=(own,),
            request_timeout_ms=_REQUEST_MS,
            **self._options,
        )

    def _new_topic(self, topic: TopicSpec, copies: int) -> NewTopic:
        configs = {"max.message.bytes": str(_LARGEST_RECORD)}
        if topic.compacted:
            configs["cleanup.policy"] = "compact"
        if topic.keep_for_ever:
            configs |= {"retention.ms": "-1", "retention.bytes": "-1"}
        if copies > 2:
            configs["min.insync.replicas"] = "2"
        return NewTopic(self._prefix + topic.name, topic.partitions, copies, topic_configs=configs)
