"""An upload's way in: read it, keep its bytes, then one transaction of asset row and event, then the answer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import assets
from services.ingest.assets import Asset
from services.ingest.commits import Commits, Upload
from services.ingest.declared import read_declaration
from services.ingest.guard import admit
from services.ingest.remembered import check_key, request_of
from services.ingest.room import Room
from services.ingest.settings import IngestSettings
from shared import metrics
from shared.blobs.port import Blobs, Kept
from shared.bus.port import Record
from shared.cloudevents import Envelope, encode
from shared.declaration.model import Declaration
from shared.events import AssetSubmitted
from shared.ids import new_id
from shared.outbox import Outbox
from shared.principal import Principal
from shared.store.directory import Directory
from shared.store.engine import Store
from shared.verdicts import Cause
from shared.web.parts import Received, Wanted, receive_parts
from shared.web.problems import Problem, invalid, not_found

ROUTE = "assets"


class Intake:
    """Takes uploads and amended declarations. Durable when a method returns."""

    def __init__(
        self, store: Store, blobs: Blobs, outbox: Outbox, directory: Directory, settings: IngestSettings
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._outbox = outbox
        self._directory = directory
        self._wanted = Wanted(
            "declaration", file_bytes=settings.max_upload_bytes, document_bytes=settings.max_document_bytes
        )
        self._commits = Commits(store, outbox, timedelta(hours=settings.idempotency_hours))
        self._room = Room(settings.uploads_at_once, settings.uploads_waiting)

    async def submit(self, request: Request, principal: Principal, idempotency_key: str | None) -> Asset:
        """The asset as received, or what the same `Idempotency-Key` made before. Raises `Problem`, `OutOfSpace`."""
        try:
            asset = await self._submit(request, principal, idempotency_key)
        except Problem as problem:
            metrics.UPLOADS.labels(problem.code).inc()
            raise
        metrics.UPLOADS.labels("accepted").inc()
        return asset

    async def _submit(self, request: Request, principal: Principal, idempotency_key: str | None) -> Asset:
        check_key(idempotency_key)
        async with self._room.entered(), self._blobs.stage() as staged:
            received = await receive_parts(request, self._wanted, staged.write)
            declaration = await read_declaration(received.document, principal, self._directory)
            kept = await staged.keep()
        asset = _asset(received, kept, declaration, principal)
        claimed = request_of(principal.key_id, ROUTE, idempotency_key, asset.sha256, asset.filename, asset.declaration)
        record = self._record(asset, declaration, "submitted", asset.id)
        made = await self._commits.add(Upload(asset, record, claimed))
        if made != asset.id:
            return await self._first_answer(made)
        metrics.UPLOAD_BYTES.inc(asset.bytes)
        return asset

    async def amend(self, asset: Asset, document: bytes, principal: Principal) -> Asset:
        """The asset under its new declaration. Raises `Problem`."""
        declaration = await read_declaration(document, principal, self._directory)
        if declaration.production != asset.production:
            raise invalid("production", "an asset stays with its production", f"leave it `{asset.production}`")
        cause_id = new_id()

        async def write(connection: AsyncConnection) -> Asset | None:
            amended = await assets.amend(connection, asset.id, _json(declaration), declaration.title)
            if amended is not None:
                record = self._record(amended, declaration, "declaration_amended", cause_id)
                await self._outbox.add_records(connection, [record])
            return amended

        amended = await self._store.together(write)
        if amended is None:
            raise not_found("asset")
        self._outbox.wake()
        return amended

    async def close(self) -> None:
        """Waits for the uploads that are being written."""
        await self._commits.close()

    async def _first_answer(self, asset_id: str) -> Asset:
        async with self._store.read() as connection:
            first = await assets.find(connection, asset_id)
        if first is None:
            raise not_found("asset")
        return replace(first, revision=0, outcome=None, verdict=None, on_its_way=True)

    def _record(self, asset: Asset, declaration: Declaration, cause: Cause, cause_id: str) -> Record:
        now = datetime.now(UTC)
        event = AssetSubmitted(
            asset_id=asset.id,
            production=asset.production,
            number=asset.number,
            cause=cause,
            cause_id=cause_id,
            sha256=asset.sha256,
            bytes=asset.bytes,
            media_type=asset.media_type,
            filename=asset.filename,
            declaration=declaration,
            uploader=asset.uploader,
            submitted_at=now,
        )
        return encode(Envelope(new_id(), self._outbox.source, now, event))


def _asset(received: Received, kept: Kept, declaration: Declaration, principal: Principal) -> Asset:
    admitted = admit(received.head, received.filename)
    return Asset(
        id=new_id(),
        production=declaration.production,
        title=declaration.title,
        filename=admitted.filename,
        sha256=kept.sha256,
        bytes=kept.bytes,
        media_type=admitted.media_type,
        number=1,
        declaration=_json(declaration),
        key_id=principal.key_id,
        person=principal.person,
        submitted_at=datetime.now(UTC),
    )


def _json(declaration: Declaration) -> str:
    return declaration.model_dump_json(exclude_defaults=True)
