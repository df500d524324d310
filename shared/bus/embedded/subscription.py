"""A member of a consumer group on the embedded log."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from shared.bus.embedded.database import Database
from shared.bus.embedded.groups import Claim, Groups, Member, Standing, commit, leave
from shared.bus.embedded.log import Partition, read_many
from shared.bus.embedded.wakeups import Waiter, Wakeups
from shared.bus.port import Message
from shared.errors import OutOfSpace, Unavailable


@dataclass
class _Held:
    """A claim and where we are in it: done up to `done`, handed out up to `position`."""

    claim: Claim
    done: int
    position: int


class EmbeddedSubscription:
    """Beats whenever it is used: at least once in `beat_seconds` while `fetch` waits."""

    def __init__(
        self, database: Database, groups: Groups, wakeups: Wakeups, member: Member, *, beat_seconds: float
    ) -> None:
        self._database = database
        self._groups = groups
        self._wakeups = wakeups
        self._member = member
        self._beat_seconds = beat_seconds
        self._beat_at = 0.0
        self._generation = -1
        self._held: dict[tuple[str, int], _Held] = {}

    async def fetch(self, *, max_records: int, wait: float) -> list[Message]:
        """See `Subscription`."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + wait
        with self._wakeups.waiter(self._member.topics) as waiter:
            while True:
                waiter.rearm()
                messages = await self._look(max_records)
                if messages or loop.time() >= give_up_at:
                    return messages
                await self._wait(waiter, give_up_at)

    async def commit(self, messages: Sequence[Message]) -> None:
        """See `Subscription`."""
        ends: dict[Claim, int] = {}
        for message in messages:
            held = self._held_for(message)
            if held is not None:
                ends[held.claim] = max(ends.get(held.claim, 0), message.offset + 1)
        if not ends:
            return
        await self._database.write(lambda connection: commit(connection, self._member, ends))
        for held in self._held.values():
            held.done = max(held.done, ends.get(held.claim, 0))

    async def rewind(self, messages: Sequence[Message]) -> None:
        """See `Subscription`."""
        for message in messages:
            held = self._held_for(message)
            if held is not None:
                held.position = min(held.position, message.offset)

    async def keep_alive(self) -> None:
        """See `Subscription`."""
        await self._beat()

    async def join(self) -> None:
        """Becomes a member. The first claims may still be held by others."""
        await self._beat()

    async def leave(self) -> None:
        """Gives up membership and claims. Where that fails, the others miss its heartbeat soon enough."""
        with suppress(Unavailable, OutOfSpace):
            await self._database.write(lambda connection: leave(connection, self._member.id, self._member.group))
            self._wakeups.wake(self._member.topics)

    def _held_for(self, message: Message) -> _Held | None:
        """The claim that a message was handed out under, unless that claim was lost meanwhile or it is done."""
        held = self._held.get((message.topic, message.partition))
        return held if held and held.done <= message.offset < held.position else None

    async def _look(self, max_records: int) -> list[Message]:
        if asyncio.get_running_loop().time() >= self._beat_at:
            await self._beat()
        while True:
            messages, generation = await self._database.read(partial(self._read, self._positions(), max_records))
            if generation == self._generation:
                return self._hand_out(messages)
            await self._beat()

    def _read(
        self, positions: dict[Partition, int], max_records: int, connection: sqlite3.Connection
    ) -> tuple[list[Message], int]:
        """The generation is read last: an unchanged one says that the partitions were ours all the while."""
        return read_many(connection, positions, max_records), self._groups.generation(connection, self._member)

    def _positions(self) -> dict[Partition, int]:
        """Another partition comes first each time, so that a full one cannot starve the rest."""
        self._held = dict([*list(self._held.items())[1:], *list(self._held.items())[:1]])
        return {held.claim.partition: held.position for held in self._held.values()}

    def _hand_out(self, messages: Sequence[Message]) -> list[Message]:
        out: list[Message] = []
        for message in messages:
            held = self._held.get((message.topic, message.partition))
            if held and held.position <= message.offset:
                held.position = message.offset + 1
                out.append(message)
        return out

    async def _wait(self, waiter: Waiter, give_up_at: float) -> None:
        now = asyncio.get_running_loop().time()
        await waiter.wait(max(0.0, min(give_up_at, self._beat_at) - now))

    async def _beat(self) -> None:
        busy = {held.claim.partition.id for held in self._held.values() if held.position > held.done}
        standing = await self._database.write(lambda connection: self._groups.beat(connection, self._member, busy))
        # All members of a process beat at the same moment and so share a commit.
        beats = asyncio.get_running_loop().time() // self._beat_seconds
        self._beat_at = 0.0 if standing.owes else (beats + 1) * self._beat_seconds
        self._adopt(standing)

    def _adopt(self, standing: Standing) -> None:
        known = {(held.claim.partition, held.claim.generation): held for held in self._held.values()}
        held = [known.get((c.partition, c.generation)) or _Held(c, c.offset, c.offset) for c in standing.claims]
        self._held = {(h.claim.partition.topic, h.claim.partition.number): h for h in held}
        self._generation = standing.generation
        if standing.changed:
            self._wakeups.wake(self._member.topics)
