"""Dead letters of every topic, to be looked at, and put back once their cause is gone."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict import rescans
from services.verdict.keepable import kept_text
from services.verdict.tables import dead_letters
from shared.bus.dead import SUFFIX, DeadLetter, read_dead
from shared.bus.port import Message, Record
from shared.errors import Reject
from shared.events import DEAD_TOPICS
from shared.ids import new_id
from shared.outbox import Outbox
from shared.store.columns import upsert
from shared.store.engine import Store

TOPICS = tuple(topic.name for topic in DEAD_TOPICS)
GROUP = "dead-letters"


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """One dead letter. `record` is what goes back."""

    id: str
    topic: str
    partition: int
    offset: int
    code: str
    detail: str
    sha256: str
    consumer: str
    arrived_at: datetime
    replayed_at: datetime | None
    replayed_by: str | None
    record: Record


@dataclass(frozen=True)
class DeadLetters:
    """Keeps what the consumers gave up."""

    store: Store
    clock: Callable[[], datetime]

    async def handle(self, messages: Sequence[Message]) -> None:
        """Durable on return. Rejects nothing: a letter nobody can read is kept as well."""
        now = self.clock()
        letters = [_read(message) for message in messages]
        async with self.store.write() as connection:
            statement = upsert(connection, dead_letters).on_conflict_do_nothing(index_elements=["letter"])
            await connection.execute(statement, [_row(letter, now) for letter in letters])
            for letter in letters:
                await _fail_rescan_item(connection, letter)


async def newest(
    connection: AsyncConnection, *, topic: str | None, waiting: bool | None, before: str | None, limit: int
) -> Sequence[KeptLetter]:
    """Newest first; `waiting` for those not put back yet, or those put back."""
    c = dead_letters.c
    conditions: list[ColumnElement[bool]] = []
    if topic is not None:
        conditions.append(c.topic == topic)
    if waiting is not None:
        conditions.append(c.replayed_at.is_(None) if waiting else c.replayed_at.is_not(None))
    if before is not None:
        conditions.append(c.id < before)
    rows = await connection.execute(select(dead_letters).where(*conditions).order_by(c.id.desc()).limit(limit))
    return [_kept(row) for row in rows]


async def find(connection: AsyncConnection, letter_id: str) -> KeptLetter | None:
    """One letter."""
    row = (await connection.execute(select(dead_letters).where(dead_letters.c.id == letter_id))).one_or_none()
    return None if row is None else _kept(row)


async def put_back(
    connection: AsyncConnection, outbox: Outbox, letter: KeptLetter, person: str, *, now: datetime
) -> None:
    """The original record goes to its topic again, through the outbox."""
    values = {"replayed_at": now, "replayed_by": person}
    await connection.execute(dead_letters.update().where(dead_letters.c.id == letter.id).values(**values))
    await outbox.add_records(connection, [letter.record])


def _read(message: Message) -> DeadLetter:
    try:
        letter = read_dead(message)
    except Reject as reject:
        return _unreadable(message, reject)
    if letter.topic + SUFFIX == message.topic and 0 <= letter.partition < 2**31 and 0 <= letter.offset < 2**63:
        return letter
    return _unreadable(message, Reject("not_a_dead_letter", "its place of origin cannot be"))


def _unreadable(message: Message, reject: Reject) -> DeadLetter:
    topic = message.topic.removesuffix(SUFFIX)
    return DeadLetter(
        id=f"{message.topic}:{message.partition}:{message.offset}",
        reason=reject.code,
        detail=reject.detail,
        topic=topic,
        partition=message.partition,
        offset=message.offset,
        sha256="",
        group="",
        at_ms=message.timestamp_ms,
        record=Record(topic, message.key, message.value or b"", dict(message.headers)),
    )


def _row(letter: DeadLetter, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "letter": letter.id,
        "topic": kept_text(letter.topic)[:80],
        "partition": letter.partition,
        "offset": letter.offset,
        "key": kept_text(letter.record.key),
        "headers": {kept_text(name): kept_text(value) for name, value in letter.record.headers.items()},
        "value": letter.record.value,
        "code": kept_text(letter.reason)[:200],
        "detail": kept_text(letter.detail),
        "sha256": kept_text(letter.sha256)[:64],
        "consumer": kept_text(letter.group)[:200],
        "arrived_at": now,
    }


async def _fail_rescan_item(connection: AsyncConnection, letter: DeadLetter) -> None:
    """A rescan does not wait for an asset that was given up on its way."""
    try:
        data = json.loads(letter.record.value)
    except ValueError:
        return
    if not isinstance(data, dict):
        return
    of_rescan = data.get("cause_id") if data.get("cause") == "rescanned" else data.get("rescan_id")
    if isinstance(of_rescan, str):
        await rescans.fail_item(connection, of_rescan, letter.record.key)


def _kept(row: Row[Any]) -> KeptLetter:
    record = Record(row.topic, row.key, row.value, row.headers)
    names = [name for name in KeptLetter.__slots__ if name != "record"]
    return KeptLetter(**{name: getattr(row, name) for name in names}, record=record)
