"""The bus as the services see it: Kafka's words, and no more of Kafka than they need.

Two adapters keep this contract: `embedded` (a durable log in SQLite) and `kafka` (aiokafka).
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Record:
    """What a producer hands over. Records of one key keep their order."""

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """What a consumer receives: a record at its place in the log. `value` is None for a foreign tombstone."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes | None
    headers: Mapping[str, str]
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic to create. `compacted` keeps the last record of each key; `keep_for_ever` turns retention off."""

    name: str
    partitions: int = 6
    compacted: bool = False
    keep_for_ever: bool = False


class Subscription(Protocol):
    """One member of a consumer group. Partitions are shared out among the members."""

    async def fetch(self, *, max_records: int, wait: float) -> list[Message]:
        """Up to `max_records` messages, in order within each partition; an empty list after `wait` seconds."""

    async def commit(self, messages: Sequence[Message]) -> None:
        """Marks these and all before them in their partitions as done. Partitions lost meanwhile are left out."""

    async def rewind(self, messages: Sequence[Message]) -> None:
        """The next fetch starts again at the first of these messages of each partition."""

    async def keep_alive(self) -> None:
        """Tells the group that this member lives although its handler is still busy. Fetches nothing."""


class Bus(Protocol):
    """A durable, ordered, partitioned log."""

    async def ensure_topics(self, topics: Sequence[TopicSpec]) -> None:
        """Creates what is missing and leaves the rest as it is."""

    async def publish(self, records: Sequence[Record]) -> None:
        """Returns once every record is durable. Raises `Unavailable`; then any part of them may have been written."""

    def subscribe(self, group: str, topics: Sequence[str]) -> AbstractAsyncContextManager[Subscription]:
        """Joins a group; leaving the block leaves the group. A new group starts at the earliest record."""

    def follow(self, topic: str, *, offset: int = 0) -> AsyncGenerator[list[Message], None]:
        """Partition 0 of a topic from `offset` on, without a group, for ever; an empty list says: caught up for now."""

    async def end_offset(self, topic: str, partition: int = 0) -> int:
        """The offset that the next record of the partition will get."""

    async def lag(self, group: str, topics: Sequence[str]) -> int:
        """How many records the group has still to commit."""

    async def ping(self) -> None:
        """Raises `Unavailable` when the log cannot be reached."""

    async def close(self) -> None:
        """Flushes and lets go."""
