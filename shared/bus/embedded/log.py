"""Topics, partitions and records in SQL. Every function runs on the database's thread."""

import json
import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.bus.embedded.schema import OFFSET_BITS
from shared.bus.port import Message, Record, TopicSpec
from shared.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition by its number within the topic and its id within the file."""

    id: int
    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that exists. It never changes."""

    name: str
    compacted: bool
    partitions: tuple[Partition, ...]

    def partition_of(self, key: str) -> Partition:
        """Where the records of a key are kept, in order."""
        return self.partitions[zlib.crc32(key.encode()) % len(self.partitions)]


@dataclass
class Catalogue:
    """The topics of the file, remembered once they are sure to stay: never from within a transaction."""

    _known: dict[str, Topic] = field(default_factory=dict)

    def find(self, connection: sqlite3.Connection, name: str) -> Topic | None:
        """The topic, or None as long as it does not exist."""
        if name in self._known:
            return self._known[name]
        row = connection.execute("SELECT compacted FROM topics WHERE name = ?", (name,)).fetchone()
        if row is None:
            return None
        rows = connection.execute("SELECT id, number FROM partitions WHERE topic = ? ORDER BY number", (name,))
        topic = Topic(name, bool(row[0]), tuple(Partition(i, name, number) for i, number in rows))
        if not connection.in_transaction:
            self._known[name] = topic
        return topic

    def knows(self, names: Iterable[str]) -> bool:
        """Whether all of these are remembered."""
        return all(name in self._known for name in names)

    def partitions(self, connection: sqlite3.Connection, names: Iterable[str]) -> list[Partition]:
        """All partitions of those topics that exist."""
        return [p for name in names if (topic := self.find(connection, name)) for p in topic.partitions]


def create_topics(connection: sqlite3.Connection, specs: Sequence[TopicSpec]) -> None:
    """Creates those that are missing."""
    for spec in specs:
        added = connection.execute(
            "INSERT INTO topics VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (spec.name, spec.partitions, spec.compacted, spec.keep_for_ever),
        )
        if added.rowcount:
            numbers = [(spec.name, number) for number in range(spec.partitions)]
            connection.executemany("INSERT INTO partitions(topic, number) VALUES (?, ?)", numbers)


def append(connection: sqlite3.Connection, catalogue: Catalogue, records: Sequence[Record], timestamp_ms: int) -> None:
    """Adds the records at the ends of their partitions. Raises `ConfigurationError` for a topic nobody created."""
    placed: dict[Partition, list[Record]] = defaultdict(list)
    compacted: set[Partition] = set()
    for record in records:
        topic = catalogue.find(connection, record.topic)
        if topic is None:
            raise ConfigurationError(f"topic {record.topic!r} does not exist: create it with ensure_topics")
        partition = topic.partition_of(record.key)
        placed[partition].append(record)
        if topic.compacted:
            compacted.add(partition)
    for partition, group in placed.items():
        first = _take_offsets(connection, partition, len(group))
        rows = [(first + i, r.key, r.value, json.dumps(dict(r.headers)), timestamp_ms) for i, r in enumerate(group)]
        connection.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?)", rows)
        if partition in compacted:
            _keep_latest(connection, partition, [(row[0], row[1]) for row in rows])


def _take_offsets(connection: sqlite3.Connection, partition: Partition, count: int) -> int:
    """The record id of the first of `count` new records."""
    query = "UPDATE partitions SET next_offset = next_offset + ? WHERE id = ? RETURNING next_offset"
    end: int = connection.execute(query, (count, partition.id)).fetchall()[0][0]
    return _record_id(partition, end - count)


def _keep_latest(connection: sqlite3.Connection, partition: Partition, added: Sequence[tuple[int, str]]) -> None:
    """Compaction at once: the new record of a key takes the place of the old one."""
    for record_id, key in added:
        query = "SELECT record_id FROM latest WHERE partition_id = ? AND key = ?"
        connection.executemany(
            "DELETE FROM records WHERE id = ?", connection.execute(query, (partition.id, key)).fetchall()
        )
        connection.execute("INSERT OR REPLACE INTO latest VALUES (?, ?, ?)", (partition.id, key, record_id))


def read(connection: sqlite3.Connection, partition: Partition, offset: int, limit: int) -> list[Message]:
    """At most `limit` messages from `offset` on, in order."""
    rows = connection.execute(
        "SELECT id, key, value, headers, timestamp_ms FROM records WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
        (_record_id(partition, offset), _record_id(partition, 1 << OFFSET_BITS), limit),
    )
    start = _record_id(partition, 0)
    return [
        Message(partition.topic, partition.number, i - start, key, value, json.loads(headers), timestamp)
        for i, key, value, headers, timestamp in rows
    ]


def read_many(connection: sqlite3.Connection, positions: Mapping[Partition, int], limit: int) -> list[Message]:
    """At most `limit` messages from these positions on; every partition that has some gets a share first."""
    ends = end_offsets(connection, positions)
    behind = [partition for partition, position in positions.items() if ends[partition] > position]
    messages: list[Message] = []
    for index, partition in enumerate(behind):
        share = -(-(limit - len(messages)) // (len(behind) - index))
        messages += read(connection, partition, positions[partition], share)
    return messages


def end_offsets(connection: sqlite3.Connection, partitions: Iterable[Partition]) -> dict[Partition, int]:
    """The offset that the next record of each partition will get."""
    query = "SELECT next_offset FROM partitions WHERE id = ?"
    return {partition: connection.execute(query, (partition.id,)).fetchone()[0] for partition in partitions}


def _record_id(partition: Partition, offset: int) -> int:
    return (partition.id << OFFSET_BITS) + offset
