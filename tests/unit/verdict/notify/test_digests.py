"""What the contact of a production is told once a day, and what at once."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from services.verdict.notify import digests as telling
from services.verdict.notify import endpoints, notifier
from services.verdict.notify.digests import DIGEST, Digests, next_digest
from services.verdict.notify.endpoints import Endpoint, new_secret
from services.verdict.notify.notifier import Notifier
from services.verdict.tables import deliveries, digests
from shared.bus.port import Message
from shared.cloudevents import Envelope, encode
from shared.events import VerdictReached
from shared.ids import new_id
from shared.store.directory import SERVICE, Directory
from shared.store.engine import open_store
from shared.store.entries import Production
from shared.store.migrate import migrate
from tests.screenings import FINAL, MOOD_BOARD, START, screened
from tests.verdict_bench import Bench, open_bench

SIGN = MOOD_BOARD | {"use": "background_element", "placement": MOOD_BOARD["placement"] | {"on_camera": "yes"}}
REACHED = "clearframe.verdict.reached.v1"


@dataclass
class Desk:
    """Somebody at the studio's gateway subscribes; verdicts are reached and heard of."""

    bench: Bench
    directory: Directory

    @property
    def digests(self) -> Digests:
        return Digests(self.bench.store, self.directory, self.bench.clock, lambda: None)

    async def subscribe(self, *events: str, production: str = "*") -> None:
        endpoint = Endpoint(
            id=new_id(), url="https://example.com/hook", description="", events=events, outcomes=(),
            productions=(production,), secret=new_secret(), old_secret=None, old_secret_until=None, enabled=True,
            disabled_because=None, created_by="rita", created_at=START - timedelta(days=1),
        )  # fmt: skip
        async with self.bench.store.write() as connection:
            await endpoints.add(connection, endpoint)

    async def hear(self) -> None:
        """The notifier reads all verdicts, as from the topic; again does no harm."""
        notifier = Notifier(self.bench.store, self.directory, self.bench.clock, asyncio.Event(), 8)
        messages = []
        for offset, verdict in enumerate(await self.bench.verdicts()):
            event = VerdictReached(asset_id=verdict.asset_id, production=verdict.production, verdict=verdict)
            record = encode(Envelope(f"event-{offset}", "test", verdict.decided_at, event))
            messages.append(Message("verdicts", 0, offset, record.key, record.value, record.headers, 0))
        await notifier.handle(messages)

    async def told(self, type_: str = DIGEST) -> list[Any]:
        rows = [row for row in await self.bench.rows(deliveries) if row.type == type_]
        return [json.loads(row.body) for row in rows]


@pytest.fixture
async def desk(store_url: str) -> AsyncIterator[Desk]:
    store = open_store(store_url, SERVICE)
    await migrate(store, SERVICE)
    directory = Directory(store)
    await directory.put_production(Production("atlas", "Atlas", "clearances@studio.example", "Europe/Paris"))
    async with open_bench(store_url) as bench:
        yield Desk(bench, directory)
    await directory.close()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> LogCapture:
    """All lines, at whichever level other tests have set."""
    capture = LogCapture()
    for module in (telling, notifier):
        monkeypatch.setattr(module, "_log", structlog.wrap_logger(None, [capture], structlog.BoundLogger))
    return capture


async def test_clear_verdicts_are_told_once_in_the_morning_of_the_production(desk: Desk) -> None:
    await desk.subscribe(DIGEST)
    await desk.bench.settle(screened("a"), screened("b"), screened("c", declaration=FINAL))
    await desk.hear()
    (row,) = await desk.bench.rows(digests)
    assert row.due_at == datetime.fromisoformat("2026-11-02T07:00:00+00:00")  # 8 o'clock in Paris
    desk.bench.now = row.due_at - timedelta(seconds=1)
    assert (await desk.digests.step(), await desk.told()) == (False, [])
    desk.bench.now = row.due_at
    assert await desk.digests.step()
    (body,) = await desk.told()
    assert (body["type"], body["contact"]) == (DIGEST, "clearances@studio.example")
    assert (body["data"]["production"], body["data"]["clear"]) == ("atlas", 2)
    assert [one["asset_id"] for one in body["data"]["verdicts"]] == ["a", "b"]
    assert body["data"]["verdicts"][0]["rules"] == ["M-LOW-1"]


async def test_nobody_is_told_twice_nor_of_nothing(desk: Desk) -> None:
    await desk.subscribe(DIGEST)
    await desk.bench.settle(screened("a"))
    await desk.hear()
    desk.bench.later(days=1)
    assert await desk.digests.step()
    assert not await desk.digests.step()
    await desk.hear()  # the same events again
    desk.bench.later(days=1)
    assert await desk.digests.step()
    assert len(await desk.told()) == 1
    await desk.bench.settle(screened("b"))
    await desk.hear()
    desk.bench.later(days=1)
    assert await desk.digests.step()
    assert [[one["asset_id"] for one in body["data"]["verdicts"]] for body in await desk.told()] == [["a"], ["b"]]


async def test_what_is_not_clear_any_more_is_left_out(desk: Desk) -> None:
    await desk.subscribe(DIGEST)
    await desk.bench.settle(screened("a"), screened("b"))
    await desk.bench.settle(screened("b", number=2, declaration=FINAL, cause="declaration_amended"))
    await desk.hear()
    desk.bench.later(days=1)
    await desk.digests.step()
    (body,) = await desk.told()
    assert (body["data"]["clear"], [one["asset_id"] for one in body["data"]["verdicts"]]) == (1, ["a"])


async def test_an_endpoint_hears_of_its_productions_alone(desk: Desk, log: LogCapture) -> None:
    await desk.subscribe(DIGEST, production="borealis")
    await desk.subscribe(REACHED)
    await desk.bench.settle(screened("a"))
    await desk.hear()
    desk.bench.later(days=1)
    await desk.digests.step()
    assert await desk.told() == []
    (line,) = [line for line in log.entries if line["event"] == "digest"]
    assert (line["production"], line["clear"], line["contact"]) == ("atlas", 1, "clearances@studio.example")


async def test_a_caution_is_told_at_once_with_the_contact(desk: Desk, log: LogCapture) -> None:
    await desk.subscribe(REACHED)
    await desk.bench.settle(screened("sign", declaration=SIGN))
    await desk.hear()
    (body,) = await desk.told(REACHED)
    assert (body["contact"], body["data"]["verdict"]["outcome"]) == ("clearances@studio.example", "caution")
    (line,) = [line for line in log.entries if line["event"] == "caution_reached"]
    assert (line["asset"], line["rules"], line["contact"]) == ("sign", ["M-CAU-1"], "clearances@studio.example")
    assert await desk.bench.rows(digests) == []


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        ("2026-11-01T06:59:00+00:00", "UTC", "2026-11-01T08:00:00+00:00"),
        ("2026-11-01T08:00:00+00:00", "UTC", "2026-11-02T08:00:00+00:00"),
        ("2026-10-24T20:00:00+00:00", "Europe/Paris", "2026-10-25T07:00:00+00:00"),  # the clocks go back that night
        ("2026-11-01T23:30:00+00:00", "Asia/Tokyo", "2026-11-02T23:00:00+00:00"),
    ],
)
def test_eight_o_clock_there(now: str, zone: str, expected: str) -> None:
    assert next_digest(datetime.fromisoformat(now), zone, 8) == datetime.fromisoformat(expected)
