"""The rows of references: protected works handed over, and what became of each on the `references` log."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.tables import banks, references
from shared.events import (
    BankChanged,
    Event,
    ReferenceDetails,
    ReferenceRefused,
    ReferenceRegistered,
    ReferenceSubmitted,
    ReferenceWithdrawn,
)
from shared.store.columns import upsert

FIRST_BANK = "protected"  # there from the start, whether or not its record has arrived


@dataclass(frozen=True, slots=True)
class Reference:
    """One protected work. `number` counts its changes, `answered` says which of them the log has answered."""

    id: str
    bank: str
    details: ReferenceDetails
    filename: str
    sha256: str
    bytes: int
    media_type: str
    number: int
    submitted_at: datetime
    answered: int = 0
    status: str = "pending"
    withdrawn: bool = False
    reason: str | None = None
    reason_detail: str | None = None
    fingerprints: dict[str, Any] | None = None

    @property
    def is_answered(self) -> bool:
        """Whether the newest change came back from the log."""
        return self.answered >= self.number

    def submitted(self, now: datetime) -> ReferenceSubmitted:
        """The event that hands its present state over."""
        return ReferenceSubmitted(
            reference_id=self.id,
            number=self.number,
            details=self.details,
            sha256=self.sha256,
            bytes=self.bytes,
            media_type=self.media_type,
            withdrawn=self.withdrawn,
            submitted_at=now,
        )


@dataclass(frozen=True, slots=True)
class Search:
    """Which references to list; None asks for any."""

    bank: str | None = None
    status: str | None = None
    sha256: str | None = None


async def insert(connection: AsyncConnection, reference: Reference) -> None:
    """A new row."""
    values = asdict(reference) | {"details": _json(reference.details)}
    await connection.execute(references.insert(), values)


async def find(connection: AsyncConnection, reference_id: str) -> Reference | None:
    """One reference."""
    row = (await connection.execute(select(references).where(references.c.id == reference_id))).first()
    return None if row is None else _reference(row)


async def newest(connection: AsyncConnection, search: Search, *, before: str | None, limit: int) -> list[Reference]:
    """Newest first, below the id `before`."""
    wanted = select(references).order_by(references.c.id.desc()).limit(limit)
    for name, value in asdict(search).items():
        if value is not None:
            wanted = wanted.where(references.c[name] == value)
    if before is not None:
        wanted = wanted.where(references.c.id < before)
    return [_reference(row) for row in await connection.execute(wanted)]


async def change(connection: AsyncConnection, reference_id: str, seen: int, values: dict[str, Any]) -> Reference | None:
    """Counts a change and makes it, unless another came since `seen`: then None."""
    c = references.c
    found = references.update().where(c.id == reference_id, c.number == seen)
    changed = await connection.execute(found.values(number=seen + 1, **values).returning(c.id))
    return None if changed.first() is None else await find(connection, reference_id)


async def bank_names(connection: AsyncConnection) -> list[str]:
    """Every bank that was heard of, and the first one."""
    names = set((await connection.execute(select(banks.c.name))).scalars())
    return sorted(names | {FIRST_BANK})


_ANSWER = (
    references.update()
    .where(references.c.id == bindparam("reference"), references.c.answered <= bindparam("its_number"))
    .values({name: bindparam(f"its_{name}") for name in ("status", "reason", "reason_detail")})
    .values(answered=bindparam("its_number"))
)
_FINGERPRINTS = (
    references.update()
    .where(references.c.id == bindparam("reference"))
    .values(fingerprints=bindparam("its_fingerprints"))
)


async def put_answers(connection: AsyncConnection, events: Sequence[Event]) -> None:
    """What the log says of references and banks, in its order; an older answer changes nothing."""
    answers = [answer for event in events if (answer := _answer(event)) is not None]
    if answers:
        await connection.execute(_ANSWER, answers)
    prints = [
        {"reference": event.reference_id, "its_fingerprints": event.fingerprints.model_dump(exclude_none=True)}
        for event in events
        if isinstance(event, ReferenceRegistered)
    ]
    if prints:
        await connection.execute(_FINGERPRINTS, prints)
    for event in events:
        if isinstance(event, BankChanged):
            await _put_bank(connection, event)


async def _put_bank(connection: AsyncConnection, event: BankChanged) -> None:
    statement = upsert(connection, banks).values(name=event.bank, changed_at=event.changed_at)
    await connection.execute(statement.on_conflict_do_nothing())


def _answer(event: Event) -> dict[str, Any] | None:
    reason = detail = None
    match event:
        case ReferenceRegistered():
            status = "registered"
        case ReferenceRefused():
            status, reason, detail = "refused", event.reason, event.detail
        case ReferenceWithdrawn():
            status = "withdrawn"
        case _:
            return None
    return {
        "reference": event.reference_id,
        "its_number": event.number,
        "its_status": status,
        "its_reason": reason,
        "its_reason_detail": detail,
    }


def _reference(row: Row[Any]) -> Reference:
    return Reference(**{**row._mapping, "details": ReferenceDetails.model_validate(row.details)})


def _json(details: ReferenceDetails) -> dict[str, Any]:
    return details.model_dump(mode="json", exclude_none=True)
