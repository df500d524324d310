"""References on their way in, changed, and withdrawn: each a row and an event, answered by the `references` log."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import references
from services.ingest.guard import admit
from services.ingest.reference_form import ReferenceChange, read_details
from services.ingest.references import Reference
from services.ingest.remembered import check_key, claim, request_of
from services.ingest.room import Room
from services.ingest.settings import IngestSettings
from services.ingest.waiting import Waiting
from shared.blobs.port import Blobs
from shared.bus.port import Bus
from shared.declaration.faults import did_you_mean, shown
from shared.events import BankChanged
from shared.ids import new_id
from shared.outbox import Outbox
from shared.principal import Principal
from shared.store.engine import Store
from shared.web.parts import Wanted, receive_parts
from shared.web.problems import Problem, invalid, not_found

ROUTE = "references"
GROUP = "ingest"
_BANK_SECONDS = 3.0
"""How long to wait for a bank that may be on the log already, ahead of our reading."""


class ReferenceIntake:
    """Hands references over to screening. Durable when a method returns; `answered` waits for the log."""

    def __init__(
        self, store: Store, blobs: Blobs, outbox: Outbox, bus: Bus, *, waiting: Waiting, settings: IngestSettings
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._outbox = outbox
        self._bus = bus
        self._waiting = waiting
        self._seconds = settings.reference_wait_seconds
        self._wanted = Wanted(
            "reference", file_bytes=settings.max_upload_bytes, document_bytes=settings.max_document_bytes
        )
        self._remembers = timedelta(hours=settings.idempotency_hours)
        self._room = Room(settings.uploads_at_once, settings.uploads_waiting)

    async def register(self, request: Request, principal: Principal, idempotency_key: str | None) -> Reference:
        """The reference as received, or what the same `Idempotency-Key` made before. Raises `Problem`."""
        check_key(idempotency_key)
        async with self._room.entered(), self._blobs.stage() as staged:
            received = await receive_parts(request, self._wanted, staged.write)
            details = read_details(received.document)
            await self._check_bank(details.bank)
            kept = await staged.keep()
        admitted, now = admit(received.head, received.filename), datetime.now(UTC)
        reference = Reference(
            new_id(), details.bank, details, admitted.filename, kept.sha256, kept.bytes, admitted.media_type, 1, now
        )
        content = (kept.sha256, details.model_dump_json())
        claimed = request_of(principal.key_id, ROUTE, idempotency_key, *content)

        async def write(connection: AsyncConnection) -> Reference | None:
            made = reference.id
            if claimed is not None:
                made = await claim(connection, claimed, reference.id, now, self._remembers)
            if made != reference.id:
                return await references.find(connection, made)
            await references.insert(connection, reference)
            await self._outbox.add(connection, [reference.submitted(now)], now=now)
            return reference

        return await self._handed_over(write)

    async def change(self, reference: Reference, wanted: ReferenceChange, person: str) -> Reference:
        """With other details. Raises a 409 `Problem` for a withdrawn one, or when another change came in between."""
        if reference.withdrawn:
            raise Problem(409, "withdrawn", "a withdrawn reference cannot change; register it anew")
        details = wanted.applied(reference.details, person, datetime.now(UTC))
        if details.bank != reference.bank:
            await self._check_bank(details.bank)
        changed = {"details": details.model_dump(mode="json", exclude_none=True), "bank": details.bank}
        return await self._update(reference, changed)

    async def withdraw(self, reference: Reference) -> Reference:
        """No longer searched for. A second time changes nothing."""
        return reference if reference.withdrawn else await self._update(reference, {"withdrawn": True})

    async def answered(self, reference: Reference, closing: asyncio.Event) -> Reference:
        """Once the log answered this state of it, or as it stands after the time allowed for that."""
        return await self._waiting.until(
            reference.id,
            lambda: self._find(reference.id),
            lambda seen: seen.answered >= reference.number,
            seconds=self._seconds,
            closing=closing,
        )

    async def _find(self, reference_id: str) -> Reference:
        async with self._store.read() as connection:
            found = await references.find(connection, reference_id)
        if found is None:
            raise not_found("reference")
        return found

    async def _update(self, reference: Reference, values: dict[str, Any]) -> Reference:
        now = datetime.now(UTC)

        async def write(connection: AsyncConnection) -> Reference | None:
            changed = await references.change(connection, reference.id, reference.number, values)
            if changed is not None:
                await self._outbox.add(connection, [changed.submitted(now)], now=now)
            return changed

        return await self._handed_over(write)

    async def _handed_over(self, write: Callable[[AsyncConnection], Awaitable[Reference | None]]) -> Reference:
        made = await self._store.together(write)
        if made is None:
            raise Problem(409, "changed_meanwhile", "somebody else changed it meanwhile; read it again")
        self._outbox.wake()
        return made

    async def _check_bank(self, bank: str) -> None:
        """Raises a 422 `Problem` for a bank that is neither known nor on the log."""

        async def look() -> tuple[list[str], bool]:
            behind = await self._bus.lag(GROUP, [BankChanged.TOPIC]) > 0
            async with self._store.read() as connection:
                return await references.bank_names(connection), behind

        names, _ = await self._waiting.until(
            f"bank:{bank}",
            look,
            lambda seen: bank in seen[0] or not seen[1],
            seconds=_BANK_SECONDS,
            closing=asyncio.Event(),
        )
        if bank not in names:
            raise invalid("bank", f"there is no bank {shown(bank)}", did_you_mean(bank, names), code="unknown_bank")
