"""Puts the verdict service together."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.verdict import dead_letters, tables, worker
from services.verdict.api import routers
from services.verdict.bell import Bell
from services.verdict.dead_letters import DeadLetters
from services.verdict.feeder import Feeder
from services.verdict.notify import notifier
from services.verdict.notify.dispatch import Dispatcher
from services.verdict.notify.notifier import Notifier
from services.verdict.notify.sending import Sender
from services.verdict.parts import Parts
from services.verdict.reconsider import Reconsidering
from services.verdict.review import Review
from services.verdict.rulebooks import Rulebooks
from services.verdict.settings import VerdictSettings
from services.verdict.settle import Settling
from services.verdict.stream import Stream
from services.verdict.worker import VerdictWorker
from shared.bus.consumer import Consumer, ConsumerSettings
from shared.events import DEAD_TOPICS, TOPICS
from shared.ids import new_id
from shared.outbox import Outbox, Relay
from shared.rulebook.loader import load_rulebook, shipped_rulebook
from shared.service import Backends, Check, Service, Worker
from shared.store.engine import Store, open_store
from shared.store.leases import Lease
from shared.store.migrate import migrate

NAME = "verdict"


def _now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_verdict(backends: Backends, settings: VerdictSettings) -> AsyncIterator[Service]:
    """The service, its tables migrated and its rulebook in force. Raises ConfigurationError."""
    store = open_store(backends.store_url, NAME)
    sender = Sender(timeout_seconds=settings.webhook_timeout_seconds, allow_loopback=settings.allow_loopback_webhooks)
    try:
        await backends.bus.ensure_topics([*TOPICS, *DEAD_TOPICS])
        parts = await _parts(store, settings)
        yield Service(NAME, routers(parts), _workers(parts, backends, sender), _checks(parts, backends))
    finally:
        await sender.close()
        await store.close()


async def _parts(store: Store, settings: VerdictSettings) -> Parts:
    await migrate(store, NAME)
    rulebooks = Rulebooks()
    rulebook = load_rulebook(settings.rulebook) if settings.rulebook else shipped_rulebook()
    async with store.write() as connection:
        await rulebooks.install(connection, rulebook, _now())
    outbox, bell = Outbox(tables.outbox, f"clearframe/{NAME}"), Bell()
    settling = Settling(
        rulebooks=rulebooks,
        outbox=outbox,
        due_after=timedelta(hours=settings.escalation_due_hours),
        clock=_now,
        new_id=new_id,
        new_salt=lambda: secrets.token_hex(16),
    )
    return Parts(
        store=store,
        settings=settings,
        settling=settling,
        review=Review(store, settling, _now, bell.ring),
        stream=Stream(store, bell),
        clock=_now,
        bell=bell,
        documents_changed=asyncio.Event(),
        deliveries_queued=asyncio.Event(),
        rescans_asked=asyncio.Event(),
    )


@dataclass(frozen=True)
class _Making:
    """Leases of one process run, named by what they guard."""

    store: Store
    holder: str

    def lease(self, name: str) -> Lease:
        return Lease(self.store, tables.leases, name, self.holder)


def _workers(parts: Parts, backends: Backends, sender: Sender) -> tuple[Worker, ...]:
    store, bus, making = parts.store, backends.bus, _Making(parts.store, new_id())
    outbox = parts.settling.outbox
    verdicts = VerdictWorker(store, parts.settling, parts.bell.ring)
    notices = Notifier(store, _now, parts.deliveries_queued)
    batch = ConsumerSettings(max_records=parts.settings.batch)
    consumers = {
        worker.GROUP: Consumer(bus, worker.GROUP, worker.TOPICS, verdicts.handle, settings=batch),
        notifier.GROUP: Consumer(bus, notifier.GROUP, notifier.TOPICS, notices.handle),
        dead_letters.GROUP: Consumer(bus, dead_letters.GROUP, dead_letters.TOPICS, DeadLetters(store, _now).handle),
    }
    dispatcher = Dispatcher(
        store, making.lease("dispatcher"), sender, parts.deliveries_queued, clock=_now, monotonic=time.monotonic
    )
    timer = Reconsidering(store, parts.settling, making.lease("timer"), _now, parts.documents_changed, parts.bell.ring)
    feeder = Feeder(store, outbox, making.lease("feeder"), _now, parts.rescans_asked, parts.settings.rescan_outstanding)
    relay = Relay(store, outbox, bus, making.lease("relay"))
    return (
        *(Worker(f"{NAME}-{group}", consumer.run) for group, consumer in consumers.items()),
        Worker(f"{NAME}-dispatcher", dispatcher.run),
        Worker(f"{NAME}-timer", timer.run),
        Worker(f"{NAME}-feeder", feeder.run),
        Worker(f"{NAME}-relay", relay.run),
    )


def _checks(parts: Parts, backends: Backends) -> tuple[Check, ...]:
    async def database() -> None:
        async with parts.store.read() as connection:
            await parts.settling.rulebooks.active(connection)

    return (Check(f"{NAME}-database", database), Check(f"{NAME}-bus", backends.bus.ping))
