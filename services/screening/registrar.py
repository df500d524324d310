"""Registers references: from a protected work's bytes to the record that every index is built from."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.screening.fingerprint.kinds import PDQ
from services.screening.look import Looker
from services.screening.seen import Seen, SeenPicture
from services.screening.tables import registrations
from shared.bus.port import Message
from shared.cloudevents import decode
from shared.errors import Reject
from shared.events import Event, ReferenceRefused, ReferenceRegistered, ReferenceSubmitted, ReferenceWithdrawn
from shared.outbox import Outbox
from shared.store.columns import upsert
from shared.store.engine import Store

TOPICS = (ReferenceSubmitted.TOPIC,)


class Registrar:
    """Handles batches of `references.submitted`. Durable on return; repeats and older changes do nothing."""

    def __init__(self, store: Store, looker: Looker, outbox: Outbox) -> None:
        self._store = store
        self._looker = looker
        self._outbox = outbox

    async def handle(self, messages: Sequence[Message]) -> None:
        """Registers, refuses or withdraws what these messages name."""
        submitted = await self._newer(_newest(messages))
        if not submitted:
            return
        pictures = await self._pictures([event.sha256 for event in submitted if not event.withdrawn])
        now = datetime.now(UTC)
        events = [answer(event, pictures.get(event.sha256), self._looker.pipeline, now) for event in submitted]
        async with self._store.write() as connection:
            await self._looker.record(connection, pictures.values(), now)
            await _number(connection, submitted, now)
            await self._outbox.add(connection, events, now=now)
        self._outbox.wake()

    async def _newer(self, submitted: dict[str, ReferenceSubmitted]) -> list[ReferenceSubmitted]:
        query = select(registrations.c.reference_id, registrations.c.number).where(
            registrations.c.reference_id.in_(list(submitted))
        )
        async with self._store.read() as connection:
            held = {row.reference_id: row.number for row in (await connection.execute(query)).all()}
        return [event for event in submitted.values() if event.number > held.get(event.reference_id, 0)]

    async def _pictures(self, digests: list[str]) -> dict[str, Seen]:
        recorded = await self._looker.recorded(digests)
        return recorded | await self._looker.at_all(set(digests) - set(recorded))


def _newest(messages: Sequence[Message]) -> dict[str, ReferenceSubmitted]:
    newest: dict[str, ReferenceSubmitted] = {}
    for message in messages:
        event = decode(message).data
        if not isinstance(event, ReferenceSubmitted):
            raise Reject("unexpected_event", "references.submitted holds submitted references alone")
        if event.reference_id not in newest or event.number > newest[event.reference_id].number:
            newest[event.reference_id] = event
    return newest


def answer(event: ReferenceSubmitted, seen: Seen | None, pipeline: str, now: datetime) -> Event:
    """Registered, refused or withdrawn. Pure."""
    about = {"reference_id": event.reference_id, "number": event.number, "details": event.details}
    if event.withdrawn or seen is None:
        return ReferenceWithdrawn.model_validate(about | {"withdrawn_at": now})
    picture = seen.picture
    refusal = _refusal(picture)
    if refusal is not None:
        reason, detail = refusal
        return ReferenceRefused.model_validate(about | {"reason": reason, "detail": detail, "refused_at": now})
    found = {"fingerprints": picture.fingerprints(pipeline), "features_sha256": picture.views[0].features}
    return ReferenceRegistered.model_validate(about | found | {"registered_at": now})


def _refusal(seen: SeenPicture) -> tuple[str, str] | None:
    """Why this picture cannot be protected, if so."""
    if seen.unscreenable is not None:
        return seen.unscreenable.reason, seen.unscreenable.detail
    if not seen.views:
        return "unsupported_format", f"{seen.format} holds no picture that can be compared; use JPEG, PNG, WebP or TIFF"
    best = max(view.pdq_quality for view in seen.views)
    if best < PDQ.least_quality:
        return (
            "too_poor",
            f"detail {best} of 100, at least {PDQ.least_quality} is needed; a near-blank picture matches by chance",
        )
    return None


async def _number(connection: AsyncConnection, submitted: Sequence[ReferenceSubmitted], now: datetime) -> None:
    rows = [{"reference_id": event.reference_id, "number": event.number, "at": now} for event in submitted]
    statement = upsert(connection, registrations).values(rows)
    changed = {"number": statement.excluded.number, "at": statement.excluded.at}
    await connection.execute(statement.on_conflict_do_update(index_elements=["reference_id"], set_=changed))
