"""Ingest as it runs: embedded bus, SQLite and files in a folder, its own consumers and relay, HTTP in process."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from services.ingest.main import open_ingest
from services.ingest.settings import IngestSettings
from shared.bus.port import Bus
from shared.cloudevents import Envelope, decode, encode
from shared.connect import open_blobs, open_bus, open_store
from shared.events import DEAD_TOPICS, TOPICS, Event, VerdictReached
from shared.findings import Finding
from shared.ids import new_id
from shared.principal import Scope
from shared.service import Backends, Service
from shared.store.directory import SERVICE, Directory
from shared.store.entries import Production
from shared.store.migrate import migrate
from shared.verdicts import Outcome, Reason, RulebookVersion, Verdict, Versions
from shared.web.app import Application, build_app

DECLARATION: dict[str, Any] = {
    "production": "atlas",
    "title": "Harbour at dusk, plate 12",
    "genai_used": "yes",
    "use": "mood_board",
    "deliverable": "temporary",
    "stages": [{"name": "generate", "tool": "house-diffusion", "environment": "enterprise"}],
}
PATIENCE = 20.0


@dataclass(frozen=True)
class Stack:
    """What tests reach for."""

    app: Application
    service: Service
    backends: Backends
    folder: Path

    async def key(self, *scopes: Scope, productions: Sequence[str] = ("atlas",), person: str = "sam") -> str:
        """A fresh key's secret."""
        _, secret = await self.backends.directory.create_key(
            name=person, person=person, scopes=scopes, productions=productions
        )
        return secret

    def client(self, secret: str | None = None) -> httpx2.AsyncClient:
        """Talks to the application without a socket."""
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx2.AsyncClient(transport=transport, base_url="http://test", headers=headers, timeout=60)

    async def publish(self, *events: Event) -> None:
        """As another service would."""
        now = datetime.now(UTC)
        await self.backends.bus.publish([encode(Envelope(new_id(), "test", now, event)) for event in events])


@asynccontextmanager
async def ingest_stack(folder: Path, *, works: bool = True, **settings: Any) -> AsyncIterator[Stack]:
    """A running ingest with the productions `atlas` and `borealis`; with `works=False` its workers stand still."""
    store_url = f"sqlite://{folder / 'store'}"
    for name in (SERVICE, "ingest"):
        store = open_store(store_url, name)
        await migrate(store, name)
        await store.close()
    async with AsyncExitStack() as stack:
        bus = open_bus(f"embedded://{folder / 'bus.sqlite'}")
        stack.push_async_callback(bus.close)
        await bus.ensure_topics([*TOPICS, *DEAD_TOPICS])
        blobs = open_blobs(f"file://{folder / 'blobs'}")
        stack.push_async_callback(blobs.close)
        directory = Directory(open_store(store_url, SERVICE))
        stack.push_async_callback(directory.close)
        await directory.ensure_defaults()
        for slug in ("atlas", "borealis"):
            await directory.put_production(Production(slug, slug.title()))
        backends = Backends(bus, blobs, store_url, directory, folder)
        service = await stack.enter_async_context(open_ingest(backends, IngestSettings(**settings)))
        if works:
            await stack.enter_async_context(working(service))
        yield Stack(build_app([service], directory), service, backends, folder)


@asynccontextmanager
async def working(service: Service) -> AsyncIterator[None]:
    """Its workers run while the block lasts."""
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for worker in service.workers:
            group.create_task(worker.run(stopping), name=worker.name)
        try:
            yield
        finally:
            stopping.set()


def parts(declaration: object = DECLARATION, data: bytes = b"some bytes", name: str = "plate.png") -> dict[str, Any]:
    """The body of an upload."""
    return {"declaration": (None, json.dumps(declaration), "application/json"), "file": (name, data)}


def reference_parts(data: bytes = b"a work", name: str = "work.png", **details: Any) -> dict[str, Any]:
    """The body of a reference."""
    document = {"title": "Harbour at Dusk"} | details
    return {"reference": (None, json.dumps(document), "application/json"), "file": (name, data)}


async def events_about(bus: Bus, topic: str, key: str, count: int = 1) -> list[Any]:
    """The first `count` events of a key, in order; fails when they do not come."""
    found: list[Any] = []
    async with asyncio.timeout(PATIENCE), bus.subscribe(new_id(), [topic]) as subscription:
        while len(found) < count:
            messages = await subscription.fetch(max_records=500, wait=1.0)
            found += [decode(message).data for message in messages if message.key == key]
    return found


def verdict(
    asset_id: str,
    *,
    revision: int = 1,
    outcome: Outcome = Outcome.CLEAR,
    findings: tuple[Finding, ...] = (),
    reasons: tuple[Reason, ...] = (),
) -> VerdictReached:
    """What the verdict service would say of an asset."""
    rulebook = RulebookVersion(id="studio-genai", version="1.0.0", sha256="0" * 64)
    reached = Verdict(
        id=new_id(),
        asset_id=asset_id,
        production="atlas",
        revision=revision,
        cause="submitted",
        cause_id=asset_id,
        outcome=outcome,
        summary=f"revision {revision}",
        reasons=reasons,
        findings=findings,
        versions=Versions(engine="e", index="0", decoder="d", rulebook=rulebook),
        content_sha256="0" * 64,
        decided_at=datetime.now(UTC),
        sequence=revision,
        previous_hash="0" * 64,
        hash="1" * 64,
    )
    return VerdictReached(asset_id=asset_id, production="atlas", verdict=reached)
