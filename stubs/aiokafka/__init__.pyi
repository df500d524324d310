from asyncio import Future
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

class TopicPartition(NamedTuple):
    topic: str
    partition: int

class ConsumerRecord:
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]

class ConsumerRebalanceListener:
    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None: ...
    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None: ...

class _Closable:
    async def close(self) -> None: ...

class AIOKafkaProducer:
    client: _Closable
    _sender: _Closable
    def __init__(
        self,
        *,
        bootstrap_servers: str,
        enable_idempotence: bool = ...,
        acks: str = ...,
        compression_type: str | None = ...,
        request_timeout_ms: int = ...,
        max_request_size: int = ...,
        security_protocol: str = ...,
        ssl_context: object = ...,
        sasl_mechanism: str = ...,
        sasl_plain_username: str = ...,
        sasl_plain_password: str = ...,
    ) -> None: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def send(
        self, topic: str, value: bytes, key: bytes, *, headers: Sequence[tuple[str, bytes]] = ...
    ) -> Future[object]: ...

class AIOKafkaConsumer:
    def __init__(
        self,
        *,
        bootstrap_servers: str,
        group_id: str | None = ...,
        auto_offset_reset: str = ...,
        enable_auto_commit: bool = ...,
        session_timeout_ms: int = ...,
        heartbeat_interval_ms: int = ...,
        rebalance_timeout_ms: int = ...,
        max_poll_interval_ms: int = ...,
        partition_assignment_strategy: Sequence[type] = ...,
        request_timeout_ms: int = ...,
        security_protocol: str = ...,
        ssl_context: object = ...,
        sasl_mechanism: str = ...,
        sasl_plain_username: str = ...,
        sasl_plain_password: str = ...,
    ) -> None: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def subscribe(self, topics: Iterable[str], *, listener: ConsumerRebalanceListener | None = ...) -> None: ...
    def assign(self, partitions: Iterable[TopicPartition]) -> None: ...
    def seek(self, partition: TopicPartition, offset: int) -> None: ...
    def highwater(self, partition: TopicPartition) -> int | None: ...
    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]: ...
    async def committed(self, partition: TopicPartition) -> int | None: ...
    async def commit(self, offsets: Mapping[TopicPartition, int] | None = ...) -> None: ...
    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = ..., max_records: int | None = ...
    ) -> dict[TopicPartition, list[ConsumerRecord]]: ...
