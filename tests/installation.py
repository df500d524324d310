"""All services in one process, put together as `clearframe up` does it, behind a real server on a free port."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from services.cli.composition import SECTIONS, SERVICES, prepare, running
from shared.bus.port import Bus, Record
from shared.connect import open_bus
from shared.ids import new_id
from shared.settings import Settings, load_settings
from shared.web.server import serve

PATIENCE_SECONDS = 30.0
STAGE: dict[str, Any] = {
    "name": "generate",
    "vendor": "in house",
    "tool": "house-diffusion",
    "environment": "enterprise",
    "stores_reuses_or_trains": "no",
    "human_control": "yes",
    "output_checked": "yes",
    "inputs": [{"kind": "public"}],
}
MOOD_BOARD: dict[str, Any] = {
    "title": "Harbour at dusk, plate 12",
    "genai_used": "yes",
    "use": "mood_board",
    "deliverable": "temporary",
    "output_nature": "generated",
    "story_role": "none",
    "placement": {
        "on_camera": "no",
        "legible_in_focus": "no",
        "character_interacts": "no",
        "story_relevant": "no",
    },
    "rights": {"recreates_protected": "no", "refers_to": []},
    "truth": {"misleading_as_real": "no", "factual_programme": "no"},
    "union": {"effect": "none"},
    "talent": [],
    "stages": [STAGE],
}
"""Clear as it stands; the production is left to `Person.upload`."""


@dataclass(frozen=True)
class Person:
    """Somebody with a key, and what they do over HTTP."""

    client: httpx2.AsyncClient
    production: str = ""
    key_id: str = ""

    async def ask(self, method: str, path: str, *, status: int | None = None, **request: Any) -> Any:
        """The JSON of the answer, which is good or has the `status`."""
        answer = await self.client.request(method, f"/v1{path}", **request)
        assert answer.status_code == status if status else answer.is_success, f"{answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def get(self, path: str, **params: Any) -> Any:
        """A `GET` that must succeed."""
        return await self.ask("GET", path, params=params)

    async def post(self, path: str, body: Any = None, *, status: int | None = None) -> Any:
        """A `POST` of JSON."""
        return await self.ask("POST", path, status=status, json={} if body is None else body)

    async def upload(self, data: bytes, declaration: Any = None, *, name: str = "", **changes: Any) -> Any:
        """The asset as received; a mood board unless another declaration is given."""
        name = name or ("plate.jpg" if data.startswith(b"\xff\xd8") else "plate.png")
        told = {"production": self.production} | (MOOD_BOARD if declaration is None else declaration) | changes
        return await self.ask("POST", "/assets", status=202, files=parts("declaration", told, data, name))

    async def decided(self, asset_id: str) -> Any:
        """Its verdict, once there is one."""
        found = (await self.get(f"/assets/{asset_id}", wait=60))["verdict"]
        assert found is not None, f"{asset_id} is not decided"
        return found

    async def revised(self, asset_id: str, revision: int) -> Any:
        """Its verdict, once it has reached this revision."""

        async def reached() -> Any:
            found = await self.decided(asset_id)
            return found if found["revision"] >= revision else None

        found = await until(reached, f"revision {revision}")
        assert found["revision"] == revision
        return found

    async def screened(self, data: bytes, declaration: Any = None, **changes: Any) -> Any:
        """Uploads, and waits for the verdict."""
        return await self.decided((await self.upload(data, declaration, **changes))["id"])

    async def protect(self, data: bytes, title: str, *, status: int = 201, **details: Any) -> Any:
        """Registers a work."""
        body = parts("reference", {"title": title} | details, data, "work.png")
        return await self.ask("POST", "/references", status=status, files=body)


@dataclass
class Installation:
    """One installation, over whatever backends its settings name. `start` again keeps what an earlier run left."""

    overrides: dict[str, Any]
    url: str = ""
    admin_key: str = ""
    settings: Settings | None = None
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _serving: "asyncio.Task[None] | None" = None
    _clients: list[httpx2.AsyncClient] = field(default_factory=list)

    async def start(self, **overrides: Mapping[str, Any]) -> None:
        """Opens, migrates and serves. Sections in `overrides` are put over the installation's own for this run."""
        self.settings = load_settings(*SECTIONS, overrides=_merged(self.overrides, overrides))
        self.admin_key = await prepare(self.settings, SERVICES) or self.admin_key
        self._stop, address = asyncio.Event(), asyncio.get_running_loop().create_future()
        self._serving = asyncio.create_task(self._serve(self.settings, address))
        await asyncio.wait({self._serving, address}, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE_SECONDS)
        if self._serving.done():
            await self._serving
        self.url = address.result()

    async def stop(self) -> None:
        """As SIGTERM does."""
        for client in self._clients:
            await client.aclose()
        self._clients.clear()
        self._stop.set()
        if self._serving is not None:
            await asyncio.wait_for(self._serving, PATIENCE_SECONDS)

    @asynccontextmanager
    async def bus(self) -> AsyncIterator[Bus]:
        """As somebody else would reach it."""
        assert self.settings is not None
        shared = self.settings.shared
        bus = open_bus(shared.bus_url, settings=shared.kafka, prefix=shared.topic_prefix)
        try:
            yield bus
        finally:
            await bus.close()

    async def events(self, topic: str, key: str) -> list[Record]:
        """The first events of a key, ready to be published again."""
        async with self.bus() as bus, bus.subscribe(new_id(), [topic]) as subscription:

            async def found() -> list[Record]:
                messages = await subscription.fetch(max_records=500, wait=1.0)
                return [Record(m.topic, m.key, m.value or b"", m.headers) for m in messages if m.key == key]

            records: list[Record] = await until(found, f"an event of {key}")
            return records

    def holding(self, key: str, production: str = "", key_id: str = "") -> Person:
        """Somebody with this key."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._clients.append(httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=70))
        return Person(self._clients[-1], production, key_id)

    @property
    def admin(self) -> Person:
        """Who set it up."""
        return self.holding(self.admin_key)

    async def person(self, name: str, *scopes: str, production: str) -> Person:
        """A fresh key of somebody for one production, which is made when it is new."""
        admin = self.admin
        await admin.ask("PUT", f"/productions/{production}", json={"title": production.title()})
        key = {"name": name, "person": name, "scopes": list(scopes), "productions": [production]}
        made = await admin.post("/keys", key, status=201)
        return self.holding(made["key"], production, made["id"])

    def again(self, person: Person) -> Person:
        """The same person after a restart."""
        key = person.client.headers["authorization"].removeprefix("Bearer ")
        return self.holding(key, person.production, person.key_id)

    async def _serve(self, settings: Settings, address: "asyncio.Future[str]") -> None:
        async with running(settings, SERVICES) as composed:
            await serve(composed.app, composed.services, port=0, started=address.set_result, stop=self._stop)


@asynccontextmanager
async def installed(overrides: dict[str, Any]) -> AsyncIterator[Installation]:
    """Runs as long as the block lasts."""
    installation = Installation({"log_level": "error"} | overrides)
    await installation.start()
    try:
        yield installation
    finally:
        await installation.stop()


async def team(line: Installation, production: str) -> tuple[Person, Person]:
    """Who uploads, and who reviews and operates."""
    scopes = ("upload", "read", "review", "approve")
    uma = await line.person(f"uma of {production}", *scopes, production=production)
    return uma, await line.person(f"rita of {production}", *scopes, "operate", production=production)


async def rescan(who: Person, *anew: str) -> Any:
    """A rescan of the person's production, at its end."""
    job = await who.post("/rescans", {"scope": {"production": who.production}, "with": list(anew)}, status=202)
    found = await who.get(f"/rescans/{job['id']}", wait=60)
    assert found["status"] == "done"
    return found


def parts(name: str, document: Any, data: bytes, filename: str) -> dict[str, Any]:
    """A multipart body of a JSON document and a file."""
    return {name: (None, json.dumps(document), "application/json"), "file": (filename, data)}


async def until(condition: Any, what: str) -> Any:
    """The first true answer of `condition`, asked ten times a second."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (found := await condition()):
        assert time.monotonic() < end, f"{what} did not come about"
        await asyncio.sleep(0.1)
    return found


def _merged(base: Mapping[str, Any], over: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {**base, **{name: {**base.get(name, {}), **section} for name, section in over.items()}}
