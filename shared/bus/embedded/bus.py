"""The embedded bus: the port over a SQLite file."""

import sqlite3
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from shared.bus.embedded import groups, log
from shared.bus.embedded.database import Database
from shared.bus.embedded.presence import Presence
from shared.bus.embedded.subscription import EmbeddedSubscription
from shared.bus.embedded.wakeups import Wakeups
from shared.bus.port import Message, Record, Subscription, TopicSpec
from shared.errors import Unavailable
from shared.ids import new_id

_FOLLOW_BATCH = 500


class EmbeddedBus:
    """A durable log in one file. All calls come from one event loop; other processes may open the same file.

    A member that does not beat for `session_seconds` loses its partitions; `clock` is the machine's monotonic one.
    """

    def __init__(
        self, path: Path, *, session_seconds: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._wakeups = Wakeups(self._watch)
        self._database = Database(path, on_foreign_change=self._wakeups.wake_all)
        self._presence = Presence(path.with_name(f"{path.name}-members"))
        self._catalogue = log.Catalogue()
        self._groups = groups.Groups(self._catalogue, session_seconds, clock, self._presence.is_gone)
        self._beat_seconds = session_seconds * 0.3

    async def ensure_topics(self, topics: Sequence[TopicSpec]) -> None:
        """See `Bus`."""
        names = [topic.name for topic in topics]
        if not await self._exist(names):
            await self._database.write(lambda connection: log.create_topics(connection, topics))
            self._wakeups.wake(names)

    async def publish(self, records: Sequence[Record]) -> None:
        """See `Bus`. All or nothing; also raises `OutOfSpace`, and `ConfigurationError` for a topic nobody created."""
        if not records:
            return
        topics = {record.topic for record in records}
        if not self._catalogue.knows(topics):
            await self._exist(topics)
        timestamp_ms = time.time_ns() // 1_000_000
        await self._database.write(lambda c: log.append(c, self._catalogue, records, timestamp_ms))
        self._wakeups.wake(topics)

    @asynccontextmanager
    async def subscribe(self, group: str, topics: Sequence[str]) -> AsyncIterator[Subscription]:
        """See `Bus`."""
        try:
            self._presence.announce()
        except OSError as error:
            raise Unavailable(f"the folder of the bus cannot be written: {error}") from error
        member = groups.Member(new_id(), group, tuple(topics), self._presence.id)
        subscription = EmbeddedSubscription(
            self._database, self._groups, self._wakeups, member, beat_seconds=self._beat_seconds
        )
        await subscription.join()
        try:
            yield subscription
        finally:
            await subscription.leave()

    async def follow(self, topic: str, *, offset: int = 0) -> AsyncGenerator[list[Message], None]:
        """See `Bus`."""
        with self._wakeups.waiter([topic]) as waiter:
            while True:
                waiter.rearm()
                messages = await self._database.read(partial(self._read, topic, offset))
                yield messages
                if messages:
                    offset = messages[-1].offset + 1
                else:
                    await waiter.wait(None)

    async def end_offset(self, topic: str, partition: int = 0) -> int:
        """See `Bus`. 0 for a topic that does not exist yet."""
        return await self._database.read(lambda connection: self._end(connection, topic, partition))

    async def lag(self, group: str, topics: Sequence[str]) -> int:
        """See `Bus`."""
        return await self._database.read(
            lambda connection: groups.lag(connection, group, self._catalogue.partitions(connection, topics))
        )

    async def ping(self) -> None:
        """See `Bus`."""
        await self._database.read(lambda connection: connection.execute("SELECT count(*) FROM topics").fetchone())

    async def close(self) -> None:
        """See `Bus`. Subscriptions must have been left before."""
        await self._database.close()
        self._presence.withdraw()

    def _watch(self, watched: bool) -> None:
        self._database.watched = watched

    async def _exist(self, names: Collection[str]) -> bool:
        return await self._database.read(lambda c: all(self._catalogue.find(c, name) for name in names))

    def _read(self, topic: str, offset: int, connection: sqlite3.Connection) -> list[Message]:
        found = self._catalogue.find(connection, topic)
        return log.read(connection, found.partitions[0], offset, _FOLLOW_BATCH) if found else []

    def _end(self, connection: sqlite3.Connection, topic: str, partition: int) -> int:
        partitions = self._catalogue.partitions(connection, [topic])
        return sum(log.end_offsets(connection, [p for p in partitions if p.number == partition]).values())
