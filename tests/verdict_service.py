"""The verdict service as it runs, over the embedded bus and SQLite, with its API and keys of several people."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from services.verdict.main import open_verdict
from services.verdict.settings import VerdictSettings
from shared.blobs.files import FileBlobs
from shared.bus.embedded import EmbeddedBus
from shared.bus.port import Bus
from shared.cloudevents import Envelope, encode
from shared.events import DEAD_TOPICS, TOPICS, Event
from shared.ids import new_id
from shared.principal import Scope
from shared.service import Backends, Service
from shared.store.directory import SERVICE, Directory
from shared.store.engine import open_store
from shared.store.entries import Production
from shared.store.migrate import migrate
from shared.web.app import Application, build_app
from shared.web.server import serve

PATIENCE_SECONDS = 20.0


async def until(condition: Callable[[], Awaitable[Any]], what: str = "the condition") -> Any:
    """The first true answer of `condition`."""
    end = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while not (found := await condition()):
        assert asyncio.get_running_loop().time() < end, f"{what} did not come about"
        await asyncio.sleep(0.02)
    return found


@dataclass
class Running:
    """Workers run as long as the block lasts; requests go straight into the application."""

    folder: Path
    backends: Backends
    service: Service
    app: Application
    keys: dict[str, str]

    async def publish(self, *events: Event) -> None:
        """As another service would."""
        now = datetime.now(UTC)
        await self.backends.bus.publish([encode(Envelope(new_id(), "test", now, event)) for event in events])

    async def call(self, method: str, path: str, *, key: str = "rita", **request: Any) -> httpx2.Response:
        """One request under `/v1`, with somebody's key."""
        transport = httpx2.ASGITransport(self.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            headers = {"Authorization": f"Bearer {self.keys[key]}"} | request.pop("headers", {})
            return await client.request(method, f"/v1{path}", headers=headers, **request)

    async def get(self, path: str, *, key: str = "rita", **params: Any) -> Any:
        """The JSON of a good answer."""
        answer = await self.call("GET", path, key=key, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, *, key: str = "rita", status: int | None = None) -> Any:
        """The JSON of the answer, which is good or has the `status`."""
        answer = await self.call("POST", path, key=key, json=body)
        assert answer.status_code == status if status else answer.is_success, answer.text
        return answer.json()

    async def verdicts(self, count: int, **params: Any) -> list[Any]:
        """The verdicts, newest first, once there are `count`."""

        async def enough() -> Any:
            items = (await self.get("/verdicts", limit=200, **params))["items"]
            return items if len(items) >= count else None

        return list(await until(enough, f"{count} verdicts"))

    async def at_rest(self) -> None:
        """Until nothing is on its way: consumers have committed all, and no outbox row waits."""
        topics = [topic.name for topic in TOPICS] + [topic.name for topic in DEAD_TOPICS]

        async def quiet() -> bool:
            groups = {"verdict": ("assets.screened", "rescans"), "notifier": ("verdicts", "escalations")}
            groups["dead-letters"] = tuple(name for name in topics if name.endswith(".dead"))
            lags = [await self.backends.bus.lag(group, names) for group, names in groups.items()]
            return not any(lags)

        for _ in range(3):
            await until(quiet, "rest")
            await asyncio.sleep(0.05)


@asynccontextmanager
async def running(
    folder: Path,
    *,
    settings: VerdictSettings | None = None,
    keys: dict[str, str] | None = None,
    bus: Bus | None = None,
    store_url: str | None = None,
) -> AsyncIterator[Running]:
    """Opens, runs and stops the service on a data folder, which may hold what an earlier run left."""
    bus, store_url = bus or EmbeddedBus(folder / "bus.sqlite", session_seconds=2.0), store_url or f"sqlite://{folder}"
    directory = await _directory(store_url)
    backends = Backends(bus, FileBlobs(folder / "blobs"), store_url, directory, folder)
    async with open_verdict(backends, settings or VerdictSettings(allow_loopback_webhooks=True)) as service:
        stopping = asyncio.Event()
        workers = [asyncio.create_task(worker.run(stopping), name=worker.name) for worker in service.workers]
        app = build_app([service], directory)
        try:
            yield Running(folder, backends, service, app, keys or await _keys(directory))
        finally:
            app.state.closing.set()
            stopping.set()
            await asyncio.gather(*workers)
    await directory.close()
    await bus.close()


@asynccontextmanager
async def listening(service: Running) -> AsyncIterator[str]:
    """The application behind a real server; its address."""
    stop, address = asyncio.Event(), asyncio.get_running_loop().create_future()
    server = asyncio.create_task(serve(service.app, [], port=0, started=address.set_result, stop=stop))
    try:
        yield await asyncio.wait_for(address, PATIENCE_SECONDS)
    finally:
        stop.set()
        await asyncio.wait_for(server, PATIENCE_SECONDS)


async def _directory(store_url: str) -> Directory:
    store = open_store(store_url, SERVICE)
    await migrate(store, SERVICE)
    directory = Directory(store)
    await directory.ensure_defaults()
    for slug in ("atlas", "borealis"):
        await directory.put_production(Production(slug, slug.title()))
    return directory


async def _keys(directory: Directory) -> dict[str, str]:
    people: dict[str, tuple[Iterable[Scope], list[str]]] = {
        "uma": (["upload", "read", "review", "approve"], ["atlas"]),
        "rita": (["read", "review", "approve", "operate"], ["*"]),
        "sam": (["read", "review", "approve"], ["atlas"]),
        "bob": (["read", "review", "approve", "operate"], ["borealis"]),
        "eve": (["read"], ["atlas"]),
    }
    made = {}
    for person, (scopes, productions) in people.items():
        _, made[person] = await directory.create_key(name=person, person=person, scopes=scopes, productions=productions)
    return made
