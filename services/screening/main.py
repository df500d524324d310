"""Screening, put together: the live index, the decode pool, two consumers, the relay, the routes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from services.screening.api import build_router
from services.screening.banks import Banks
from services.screening.index_folder import own_folder
from services.screening.live_index import TOPIC, LiveIndex
from services.screening.look import Looker
from services.screening.lookups import Lookups
from services.screening.pool import DecodePool, PoolSettings
from services.screening.registrar import TOPICS as REFERENCE_TOPICS
from services.screening.registrar import Registrar
from services.screening.seen import FEATURES
from services.screening.settings import ScreeningSettings
from services.screening.tables import leases
from services.screening.upkeep import Upkeep
from services.screening.worker import TOPICS as UPLOAD_TOPICS
from services.screening.worker import Screener
from shared import metrics
from shared.bus.consumer import Consumer, ConsumerSettings, Handler
from shared.bus.port import Bus
from shared.connect import open_store
from shared.errors import Unavailable
from shared.ids import new_id
from shared.outbox import Relay
from shared.service import Backends, Check, Service, Worker, until
from shared.store.leases import Lease
from shared.telemetry import ConsumerMetrics


@asynccontextmanager
async def open_screening(backends: Backends, settings: ScreeningSettings) -> AsyncIterator[Service]:
    """The service, ready to run; its store and pool are closed after the block."""
    with own_folder(settings.index or backends.data / "index") as folder:
        index = LiveIndex(backends.blobs, folder)
        try:
            async with _over(backends, settings, index) as service:
                yield service
        finally:
            index.close()


@asynccontextmanager
async def _over(backends: Backends, settings: ScreeningSettings, index: LiveIndex) -> AsyncIterator[Service]:
    store = open_store(backends.store_url, "screening")
    pool = DecodePool(_pool_settings(settings))
    looker = Looker(store, backends.blobs, pool, "query" if settings.partial_copies else None)
    screener = Screener(store, backends.bus, index, looker)
    banks = Banks(backends.bus, index)
    router = build_router(Lookups(backends.bus, index, pool, partial=settings.partial_copies), banks, settings)
    works = Looker(store, backends.blobs, pool, "reference" if settings.partial_copies else None)
    registrar = Registrar(store, works, screener.outbox)
    lease = Lease(store, leases, "relay", new_id())
    uploads = _consumer(backends.bus, "screening", UPLOAD_TOPICS, screener.handle, settings.batch)
    references = _consumer(backends.bus, "screening-references", REFERENCE_TOPICS, registrar.handle, settings.batch)

    async def following(stopping: asyncio.Event) -> None:
        await until(stopping, index.follow(backends.bus))

    async def caught_up() -> str | None:
        behind = await backends.bus.end_offset(TOPIC) - index.offset
        metrics.INDEX_BEHIND.set(behind)
        if behind > 0:
            raise Unavailable(f"the index is {behind} records behind")
        if index.partial.missing:
            raise Unavailable(f"the local features of {index.partial.missing} references cannot be read")
        return f"set aside as damaged, and done without: {'; '.join(index.refused)}" if index.refused else None

    try:
        await index.open(backends.bus)
        await banks.ensure_default()
        yield Service(
            name="screening",
            routers=(router,),
            workers=(
                Worker("screening-index", following),
                Worker("screening-index-upkeep", Upkeep(index, settings.index_delta).run),
                Worker("screening-uploads", uploads.run),
                Worker("screening-references", references.run),
                Worker("screening-relay", Relay(store, screener.outbox, backends.bus, lease).run),
            ),
            checks=(
                Check("screening_store", store.ping),
                Check("bus", backends.bus.ping),
                Check("blobs", backends.blobs.ping),
                Check("index", caught_up),
            ),
        )
    finally:
        await pool.close()
        await store.close()


def _consumer(bus: Bus, group: str, topics: Sequence[str], handler: Handler, batch: int) -> Consumer:
    settings = ConsumerSettings(max_records=batch)
    return Consumer(bus, group, topics, handler, settings=settings, observer=ConsumerMetrics(group))


def _pool_settings(settings: ScreeningSettings) -> PoolSettings:
    return PoolSettings(
        workers=settings.workers,
        memory_bytes=settings.memory_mb << 20,
        cpu_seconds=settings.cpu_seconds,
        wall_seconds=settings.decode_seconds,
        idle_seconds=settings.idle_seconds,
        wants=frozenset({FEATURES} if settings.partial_copies else ()),
    )
