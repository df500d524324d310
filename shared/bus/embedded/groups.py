"""Consumer groups in SQL: members, their claims on partitions, committed offsets. Runs on the database's thread.

A claim is given up by its owner or when the owner is gone, and then taken by the member it is meant for: a partition
is never worked on by two. A claim carries the generation it was made in; a commit under an older claim is left out.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from shared.bus.embedded.log import Catalogue, Partition, end_offsets
from shared.bus.embedded.sharing import share


@dataclass(frozen=True, slots=True)
class Member:
    """One subscription. `presence` names the process that it lives in."""

    id: str
    group: str
    topics: tuple[str, ...]
    presence: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A partition that is ours, and where the group stood when we took it."""

    partition: Partition
    generation: int
    offset: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What a member holds. `changed`: others must look at the group again; `owes`: gives one up once it is idle."""

    generation: int
    claims: tuple[Claim, ...]
    changed: bool
    owes: bool


@dataclass(frozen=True)
class Groups:
    """`is_gone(presence)` tells a dead process at once; one that merely stops beating lasts `session_seconds`."""

    catalogue: Catalogue
    session_seconds: float
    clock: Callable[[], float]
    is_gone: Callable[[str], bool]

    def beat(self, connection: sqlite3.Connection, member: Member, busy: Collection[int]) -> Standing:
        """Shows that the member lives, and moves its claims towards an even share; `busy` partitions are kept."""
        now = self.clock()
        changed = self._sign_in(connection, member, now) | self._expire(connection, member, now)
        moved, owes = self._move_claims(connection, member, busy)
        generation = _generation(connection, member.group)
        return Standing(generation, tuple(self._claims(connection, member)), changed or moved, owes)

    def _sign_in(self, connection: sqlite3.Connection, member: Member, now: float) -> bool:
        seen = connection.execute("UPDATE members SET seen_at = ? WHERE id = ?", (now, member.id))
        if seen.rowcount:
            return False
        connection.execute(
            "INSERT INTO members VALUES (?, ?, ?, ?, ?)",
            (member.id, member.group, json.dumps(member.topics), member.presence, now),
        )
        _next_generation(connection, member.group)
        return True

    def _expire(self, connection: sqlite3.Connection, member: Member, now: float) -> bool:
        """A monotonic clock is one for the whole machine; a time after now is from before its last start."""
        query = "SELECT id, presence, seen_at FROM members WHERE consumer_group = ? AND id <> ?"
        gone = [
            other
            for other, presence, seen_at in connection.execute(query, (member.group, member.id)).fetchall()
            if not 0 <= now - seen_at <= self.session_seconds or self.is_gone(presence)
        ]
        for other in gone:
            leave(connection, other, member.group)
        return bool(gone)

    def _move_claims(self, connection: sqlite3.Connection, member: Member, busy: Collection[int]) -> tuple[bool, bool]:
        query = "SELECT id, topics FROM members WHERE consumer_group = ?"
        members = {other: json.loads(topics) for other, topics in connection.execute(query, (member.group,))}
        partitions = self.catalogue.partitions(connection, {topic for topics in members.values() for topic in topics})
        query = "SELECT partition_id, member FROM claims WHERE consumer_group = ?"
        claimed = dict(connection.execute(query, (member.group,)).fetchall())
        owners = {partition: claimed[partition.id] for partition in partitions if partition.id in claimed}
        wanted = share(partitions, members, owners)
        surplus = [p for p, owner in owners.items() if owner == member.id != wanted.get(p)]
        drop = [p for p in surplus if p.id not in busy]
        take = [p for p, target in wanted.items() if target == member.id and p not in owners]
        if drop or take:
            self._change_claims(connection, member, drop, take)
        return bool(drop or take), len(drop) < len(surplus)

    def _change_claims(
        self, connection: sqlite3.Connection, member: Member, drop: Iterable[Partition], take: Iterable[Partition]
    ) -> None:
        generation = _next_generation(connection, member.group)
        query = "DELETE FROM claims WHERE consumer_group = ? AND partition_id = ?"
        connection.executemany(query, [(member.group, p.id) for p in drop])
        rows = [(member.group, p.id, member.id, generation) for p in take]
        connection.executemany("INSERT INTO claims VALUES (?, ?, ?, ?)", rows)

    def _claims(self, connection: sqlite3.Connection, member: Member) -> Iterable[Claim]:
        query = """SELECT c.partition_id, c.generation, coalesce(d.next_offset, 0) FROM claims c
            LEFT JOIN committed d ON d.consumer_group = c.consumer_group AND d.partition_id = c.partition_id
            WHERE c.consumer_group = ? AND c.member = ?"""
        rows = {row[0]: row for row in connection.execute(query, (member.group, member.id))}
        for partition in self.catalogue.partitions(connection, member.topics):
            if partition.id in rows:
                yield Claim(partition, rows[partition.id][1], rows[partition.id][2])

    def generation(self, connection: sqlite3.Connection, member: Member) -> int:
        """Differs from what the member knows when it has to beat again."""
        return _generation(connection, member.group)


def leave(connection: sqlite3.Connection, member_id: str, group: str) -> None:
    """Gives up the member's claims at once."""
    connection.execute("DELETE FROM members WHERE id = ?", (member_id,))
    connection.execute("DELETE FROM claims WHERE consumer_group = ? AND member = ?", (group, member_id))
    _next_generation(connection, group)


def commit(connection: sqlite3.Connection, member: Member, ends: Mapping[Claim, int]) -> None:
    """Records how far each claim is done; claims that are no longer ours are left out, and nothing goes back."""
    for claim, end in ends.items():
        connection.execute(
            """INSERT INTO committed SELECT consumer_group, partition_id, ? FROM claims
            WHERE consumer_group = ? AND partition_id = ? AND member = ? AND generation = ?
            ON CONFLICT DO UPDATE SET next_offset = max(next_offset, excluded.next_offset)""",
            (end, member.group, claim.partition.id, member.id, claim.generation),
        )


def lag(connection: sqlite3.Connection, group: str, partitions: Iterable[Partition]) -> int:
    """Records from the committed offsets to the ends."""
    query = "SELECT partition_id, next_offset FROM committed WHERE consumer_group = ?"
    committed = dict(connection.execute(query, (group,)).fetchall())
    return sum(end - committed.get(p.id, 0) for p, end in end_offsets(connection, partitions).items())


def _generation(connection: sqlite3.Connection, group: str) -> int:
    row = connection.execute("SELECT generation FROM consumer_groups WHERE name = ?", (group,)).fetchone()
    return row[0] if row else 0


def _next_generation(connection: sqlite3.Connection, group: str) -> int:
    connection.execute(
        "INSERT INTO consumer_groups VALUES (?, 1) ON CONFLICT DO UPDATE SET generation = generation + 1", (group,)
    )
    return _generation(connection, group)
