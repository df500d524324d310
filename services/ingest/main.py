"""Ingest, put together: the routes, the consumer of verdicts and references, the relay, the housekeeping."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from services.ingest import remembered
from services.ingest.admin_api import admin_router
from services.ingest.assets_api import asset_router
from services.ingest.follow import Follower
from services.ingest.intake import Intake
from services.ingest.previews import Previews
from services.ingest.reference_intake import ReferenceIntake
from services.ingest.references_api import reference_router
from services.ingest.settings import IngestSettings
from services.ingest.tables import leases
from services.ingest.tables import outbox as outbox_rows
from services.ingest.waiting import Waiting
from shared import metrics
from shared.connect import open_store
from shared.errors import OutOfSpace, Retry, Unavailable
from shared.ids import new_id
from shared.outbox import Outbox, Relay
from shared.service import Backends, Check, Service, Worker, until
from shared.store.engine import Store
from shared.store.leases import Lease

_HOUSEKEEPING_SECONDS = 15.0


@asynccontextmanager
async def open_ingest(backends: Backends, settings: IngestSettings) -> AsyncIterator[Service]:
    """The service, ready to run; its store is closed after the block."""
    store = open_store(backends.store_url, "ingest")
    outbox, waiting = Outbox(outbox_rows, "clearframe/ingest"), Waiting()
    bus, blobs, directory = backends.bus, backends.blobs, backends.directory
    intake = Intake(store, blobs, outbox, directory, settings)
    works = ReferenceIntake(store, blobs, outbox, bus, waiting=waiting, settings=settings)
    previews = Previews(store, blobs, settings)

    async def housekeeping(stopping: asyncio.Event) -> None:
        await until(stopping, _keep_house(store, outbox, timedelta(hours=settings.idempotency_hours)))

    try:
        yield Service(
            name="ingest",
            routers=(
                asset_router(store, blobs, intake, previews, waiting=waiting, settings=settings),
                reference_router(store, works, previews, settings),
                admin_router(directory),
            ),
            workers=(
                Worker("ingest-follower", Follower(store, waiting).consumer(bus).run),
                Worker("ingest-relay", Relay(store, outbox, bus, Lease(store, leases, "relay", new_id())).run),
                Worker("ingest-housekeeping", housekeeping),
            ),
            checks=(Check("ingest_store", store.ping), Check("bus", bus.ping), Check("blobs", blobs.ping)),
        )
    finally:
        await intake.close()
        await store.close()


async def _keep_house(store: Store, outbox: Outbox, lasts: timedelta) -> None:
    waiting = metrics.OUTBOX.labels("ingest")
    while True:
        with suppress(Retry, Unavailable, OutOfSpace):  # the next round will do
            await store.together(lambda connection: remembered.forget(connection, datetime.now(UTC) - lasts))
            async with store.read() as connection:
                waiting.set(await outbox.depth(connection))
        await asyncio.sleep(_HOUSEKEEPING_SECONDS)
