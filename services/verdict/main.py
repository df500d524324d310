"""Puts the verdict service together."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from services.verdict import dead_letters, tables, worker
from services.verdict.announce import Announcing
from services.verdict.api import routers
from services.verdict.bell import Bell
from services.verdict.dead_letters import DeadLetters
from services.verdict.feeder import Feeder
from services.verdict.notify import notifier
from services.verdict.notify.digests import Digests
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
from services.verdict.turns import Holding, Turns
from services.verdict.worker import VerdictWorker
from shared.bus.consumer import Consumer, ConsumerSettings, Handler
from shared.errors import ConfigurationError
from shared.events import DEAD_TOPICS, TOPICS
from shared.ids import new_id
from shared.outbox import Outbox, Relay
from shared.rulebook.faults import InvalidRulebook
from shared.rulebook.loader import load_rulebook, shipped_rulebook
from shared.rulebook.model import Rulebook
from shared.rulebook.tools import Tools, load_tools
from shared.service import Backends, Check, Service, Worker
from shared.store.engine import Store, open_store
from shared.store.leases import Lease
from shared.store.migrate import migrate
from shared.telemetry import ConsumerMetrics

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


def _rulebook(settings: VerdictSettings) -> Rulebook:
    """Raises ConfigurationError with every fault; what is in force stays in force."""
    try:
        return load_rulebook(settings.rulebook) if settings.rulebook else shipped_rulebook()
    except (InvalidRulebook, OSError) as error:
        raise ConfigurationError(f"the rulebook {settings.rulebook} cannot be used:\n{error}") from error


async def _parts(store: Store, settings: VerdictSettings) -> Parts:
    await migrate(store, NAME)
    rulebooks = Rulebooks()
    rulebook = _rulebook(settings)
    async with store.write() as connection:
        await rulebooks.install(connection, rulebook, _now())
    outbox, bell = Outbox(tables.outbox, f"clearframe/{NAME}"), Bell()
    settling = Settling(
        rulebooks=rulebooks,
        tools=load_tools(settings.tools) if settings.tools else Tools(),
        outbox=outbox,
        due_after=timedelta(hours=settings.escalation_due_hours),
        clock=_now,
        new_id=new_id,
        new_salt=lambda: secrets.token_hex(16),
    )
    announcing = Announcing(outbox, bell, asyncio.Event())
    return Parts(
        store=store,
        settings=settings,
        settling=settling,
        announcing=announcing,
        review=Review(store, settling, _now, announcing),
        stream=Stream(store, bell),
        clock=_now,
        bell=bell,
        documents_changed=asyncio.Event(),
        deliveries_queued=asyncio.Event(),
        rescans_asked=announcing.rescans_asked,
    )


def _workers(parts: Parts, backends: Backends, sender: Sender) -> tuple[Worker, ...]:
    consumers = [Worker(f"{NAME}-{group}", consumer.run) for group, consumer in _consumers(parts, backends).items()]
    return (*consumers, *_leased(parts, backends, sender))


def _consumers(parts: Parts, backends: Backends) -> dict[str, Consumer]:
    store, bus = parts.store, backends.bus
    told = Notifier(store, backends.directory, _now, parts.deliveries_queued, parts.settings.digest_hour)
    handlers: dict[str, tuple[Sequence[str], Handler]] = {
        worker.GROUP: (worker.TOPICS, VerdictWorker(store, parts.settling, parts.announcing).handle),
        notifier.GROUP: (notifier.TOPICS, told.handle),
        dead_letters.GROUP: (dead_letters.TOPICS, DeadLetters(store, _now).handle),
    }
    batch = ConsumerSettings(max_records=parts.settings.batch)
    return {
        group: Consumer(bus, group, topics, handler, settings=batch, observer=ConsumerMetrics(group))
        for group, (topics, handler) in handlers.items()
    }


def _leased(parts: Parts, backends: Backends, sender: Sender) -> Sequence[Worker]:
    """Work that one replica does at a time."""
    holder, store, settling = new_id(), parts.store, parts.settling

    def lease(name: str) -> Lease:
        return Lease(store, tables.leases, name, holder)

    dispatcher = Dispatcher(store, sender, parts.deliveries_queued, clock=_now, monotonic=time.monotonic)
    timer = Reconsidering(store, settling, _now, parts.announcing)
    feeder = Feeder(store, settling.outbox, _now, parts.settings.rescan_outstanding)
    digests = Digests(store, backends.directory, _now, parts.deliveries_queued.set)
    holding = Holding(lease("background"))
    dispatching = Turns("dispatcher", holding, dispatcher.step, parts.deliveries_queued)

    async def dispatch(stopping: asyncio.Event) -> None:
        try:
            await dispatching.run(stopping)
        finally:
            await dispatcher.finish()

    return (
        Worker(f"{NAME}-dispatcher", dispatch),
        Worker(f"{NAME}-timer", Turns("timer", holding, timer.step, parts.documents_changed).run),
        Worker(f"{NAME}-feeder", Turns("feeder", holding, feeder.step, parts.rescans_asked).run),
        Worker(f"{NAME}-digests", Turns("digests", holding, digests.step, asyncio.Event(), 30.0).run),
        Worker(f"{NAME}-relay", Relay(store, settling.outbox, backends.bus, lease("relay")).run),
    )


def _checks(parts: Parts, backends: Backends) -> tuple[Check, ...]:
    async def database() -> None:
        async with parts.store.read() as connection:
            await parts.settling.rulebooks.active(connection)

    return (Check(f"{NAME}-database", database), Check(f"{NAME}-bus", backends.bus.ping))
