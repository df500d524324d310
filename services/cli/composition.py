"""The composition root: settings become backends, backends become services, services become a process."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from services.ingest.main import open_ingest
from services.ingest.settings import IngestSettings
from services.screening.main import open_screening
from services.screening.settings import ScreeningSettings
from services.verdict.main import open_verdict
from services.verdict.settings import VerdictSettings
from shared.bus.port import Bus
from shared.connect import open_blobs, open_bus, open_store
from shared.events import DEAD_TOPICS, TOPICS
from shared.service import Backends, Service
from shared.settings import Settings, load_settings
from shared.store.directory import SERVICE as DIRECTORY
from shared.store.directory import Directory
from shared.store.migrate import migrate
from shared.telemetry import configure_logging, observe_http
from shared.web.app import Application, build_app
from shared.web.server import serve

SERVICES = ("ingest", "screening", "verdict")
SECTIONS = (IngestSettings, ScreeningSettings, VerdictSettings)


@dataclass(frozen=True)
class Composed:
    """An application over services that are ready to run."""

    app: Application
    services: tuple[Service, ...]

    async def serve(self, host: str, port: int, *, started: Callable[[str], None] | None = None) -> None:
        """Until a signal or a broken worker; see `shared.web.server.serve`."""
        await serve(self.app, self.services, host, port, started=started)


def read_settings(data: Path, config: Path | None = None, *, workers: int | None = None) -> Settings:
    """The settings of all services, the command line's over the rest. Raises `ConfigurationError`."""
    overrides: dict[str, Any] = {"data": data}
    if workers is not None:
        overrides["screening"] = {"workers": workers}
    return load_settings(*SECTIONS, config=config, overrides=overrides)


async def prepare(settings: Settings, services: Sequence[str]) -> str | None:
    """Migrates the databases, makes topics and defaults. The first admin key's secret, where one was made."""
    for name in (DIRECTORY, *services):
        store = open_store(settings.shared.store_url, name)
        try:
            await migrate(store, name)
        finally:
            await store.close()
    bus = _open_bus(settings)
    try:
        await bus.ensure_topics([*TOPICS, *DEAD_TOPICS])
    finally:
        await bus.close()
    directory = Directory(open_store(settings.shared.store_url, DIRECTORY))
    try:
        return await directory.ensure_defaults()
    finally:
        await directory.close()


@asynccontextmanager
async def running(settings: Settings, names: Sequence[str]) -> AsyncIterator[Composed]:
    """Opens the backends and the named services; closes them in the opposite order."""
    configure_logging(settings.shared.log_level, settings.shared.log_format)
    async with AsyncExitStack() as stack:
        backends = await _open_backends(settings, stack)
        services = [await stack.enter_async_context(_open(name, backends, settings)) for name in names]
        app = build_app(services, backends.directory, version=version("clearframe"), observe=observe_http)
        yield Composed(app, tuple(services))


def _open(name: str, backends: Backends, settings: Settings) -> Any:
    match name:
        case "ingest":
            return open_ingest(backends, settings.of(IngestSettings))
        case "screening":
            return open_screening(backends, settings.of(ScreeningSettings))
        case _:
            return open_verdict(backends, settings.of(VerdictSettings))


async def _open_backends(settings: Settings, stack: AsyncExitStack) -> Backends:
    shared = settings.shared
    bus = _open_bus(settings)
    stack.push_async_callback(bus.close)
    blobs = open_blobs(shared.blobs_url)
    stack.push_async_callback(blobs.close)
    directory = Directory(open_store(shared.store_url, DIRECTORY))
    stack.push_async_callback(directory.close)
    return Backends(bus, blobs, shared.store_url, directory, shared.data)


def _open_bus(settings: Settings) -> Bus:
    shared = settings.shared
    return open_bus(shared.bus_url, settings=shared.kafka, prefix=shared.topic_prefix)


def openapi_document() -> dict[str, Any]:
    """The document of all services' routes, from an application over a folder that is gone afterwards."""

    async def described() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            settings = read_settings(Path(folder))
            await prepare(settings, SERVICES)
            async with running(settings, SERVICES) as composed:
                return composed.app.openapi()

    return asyncio.run(described())
