"""Screening, put together: the live index, the decode pool, two consumers, the relay, the routes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.screening.api import build_router
from services.screening.banks import Banks
from services.screening.live_index import LiveIndex
from services.screening.look import Looker
from services.screening.lookups import Lookups
from services.screening.pool import DecodePool, PoolSettings
from services.screening.registrar import Registrar
from services.screening.settings import ScreeningSettings
from services.screening.tables import leases
from services.screening.worker import Screener
from shared.bus.consumer import Consumer
from shared.connect import open_store
from shared.ids import new_id
from shared.outbox import Relay
from shared.service import Backends, Check, Service, Worker, until
from shared.store.leases import Lease


@asynccontextmanager
async def open_screening(backends: Backends, settings: ScreeningSettings) -> AsyncIterator[Service]:
    """The service, ready to run; its store and pool are closed after the block."""
    store = open_store(backends.store_url, "screening")
    pool = DecodePool(_pool_settings(settings))
    index = LiveIndex()
    looker = Looker(store, backends.blobs, pool)
    screener = Screener(store, backends.bus, index, looker)
    banks = Banks(backends.bus, index)
    router = build_router(Lookups(backends.bus, index, pool), banks, settings)
    registrar = Registrar(store, looker, screener.outbox)
    lease = Lease(store, leases, "relay", new_id())
    uploads = Consumer(backends.bus, "screening", ["assets.submitted", "rescans"], screener.handle)
    references = Consumer(backends.bus, "screening-references", ["references.submitted"], registrar.handle)

    async def following(stopping: asyncio.Event) -> None:
        await until(stopping, index.follow(backends.bus))

    try:
        await banks.ensure_default()
        yield Service(
            name="screening",
            routers=(router,),
            workers=(
                Worker("index", following),
                Worker("uploads", uploads.run),
                Worker("references", references.run),
                Worker("relay", Relay(store, screener.outbox, backends.bus, lease).run),
            ),
            checks=(Check("screening_store", store.ping),),
        )
    finally:
        await pool.close()
        await store.close()


def _pool_settings(settings: ScreeningSettings) -> PoolSettings:
    return PoolSettings(
        workers=settings.workers,
        memory_bytes=settings.memory_mb << 20,
        cpu_seconds=settings.cpu_seconds,
        wall_seconds=settings.decode_seconds,
        idle_seconds=settings.idle_seconds,
    )
