"""Rescans: unchanged makes no revision, changed is listed, cancelled stops, and a stopped process resumes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from services.verdict.settings import VerdictSettings
from shared.bus.consumer import Consumer
from shared.bus.port import Message, Record
from shared.cloudevents import decode
from shared.events import AssetScreened, RescanRequested
from tests.screenings import FINAL, MATCH, MOOD_BOARD, screened
from tests.verdict_service import Running, running, until

pytestmark = pytest.mark.slow

Screening = Callable[[RescanRequested], AssetScreened]


@asynccontextmanager
async def screening(service: Running, look: Screening) -> AsyncIterator[None]:
    """Answers rescans as the screening service would."""

    async def handle(messages: Sequence[Message]) -> None:
        for message in messages:
            event = decode(message).data
            assert isinstance(event, RescanRequested)
            if event.screens:
                await service.publish(look(event))

    stopping = asyncio.Event()
    task = asyncio.create_task(Consumer(service.backends.bus, "screening", ["rescans"], handle).run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await task


def again(event: RescanRequested) -> AssetScreened:
    """Asset 3 is now seen to hold a protected work."""
    findings = (MATCH,) if event.asset_id == "asset-03" else ()
    return screened(event.asset_id, number=2, findings=findings, cause="rescanned", cause_id=event.rescan_id)


async def start(service: Running, anew: str = "references", **scope: Any) -> Any:
    return await service.post("/rescans", {"scope": scope, "with": [anew]}, status=202)


async def ended(service: Running, rescan_id: str) -> Any:
    async def over() -> Any:
        job = await service.get(f"/rescans/{rescan_id}", wait=1)
        return job if job["status"] != "running" else None

    return await until(over, "the end of the rescan")


async def test_it_changes_the_verdict_that_should_change_and_no_other(tmp_path: Path) -> None:
    async with running(tmp_path) as service, screening(service, again):
        await service.publish(*(screened(f"asset-{n:02}") for n in range(12)))
        await service.verdicts(12)
        job = await ended(service, (await start(service, production="atlas"))["id"])
        assert (job["status"], job["total"], job["done"]) == ("done", 12, 12)
        assert job["counts"] == {"changed": 1, "unchanged": 11}
        (change,) = job["changed"]
        assert (change["asset_id"], change["before"], change["after"]) == ("asset-03", "clear", "escalate")
        assert change["title"] == MOOD_BOARD["title"]
        assert len(await service.verdicts(13)) == 13
        items = (await service.get(f"/rescans/{job['id']}/items", state="changed"))["items"]
        assert [item["verdict_id"] for item in items] == [change["verdict_id"]]


async def test_the_rulebook_alone_is_decided_here_and_scope_is_kept(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.publish(
            screened("a", declaration=FINAL),
            screened("b"),
            screened("c", declaration=FINAL | {"production": "borealis"}),
        )
        await service.verdicts(3)
        for scope, total in (({"outcome": "escalate"}, 2), ({"production": "borealis"}, 1), ({}, 3)):
            job = await ended(service, (await start(service, "rulebook", **scope))["id"])
            assert (job["total"], job["counts"]) == (total, {"unchanged": total})
        late = await start(service, "rulebook", since="2027-01-01T00:00:00Z")
        assert (await ended(service, late["id"]))["total"] == 0
        assert len(await service.verdicts(3)) == 3


async def test_a_key_rescans_and_sees_its_productions_alone(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.publish(screened("a"), screened("b", declaration=MOOD_BOARD | {"production": "borealis"}))
        await service.verdicts(2)
        job = await service.post("/rescans", {"with": ["rulebook"]}, key="bob", status=202)
        assert job["total"] == 1
        await service.post("/rescans", {"scope": {"production": "atlas"}, "with": ["rulebook"]}, key="bob", status=422)
        everything = await start(service, "rulebook")
        assert (await service.call("GET", f"/rescans/{everything['id']}", key="bob")).status_code == 404
        assert [item["id"] for item in (await service.get("/rescans", key="bob"))["items"]] == [job["id"]]


async def test_a_cancelled_one_takes_up_no_more(tmp_path: Path) -> None:
    settings = VerdictSettings(rescan_outstanding=4)
    async with running(tmp_path, settings=settings) as service:
        await service.publish(*(screened(f"asset-{n:02}") for n in range(12)))
        await service.verdicts(12)
        job = await start(service)
        assert (await service.post(f"/rescans/{job['id']}/cancel"))["status"] == "cancelled"
        async with screening(service, again):
            await service.at_rest()
        items = (await service.get(f"/rescans/{job['id']}/items"))["items"]
        assert len(items) <= 4
        assert (await service.get(f"/rescans/{job['id']}"))["status"] == "cancelled"


async def test_it_goes_on_after_a_restart_and_each_asset_is_decided_once(tmp_path: Path) -> None:
    settings = VerdictSettings(rescan_outstanding=5)
    async with running(tmp_path, settings=settings) as service:
        await service.publish(*(screened(f"asset-{n:02}") for n in range(17)))
        await service.verdicts(17)
        job = await start(service)

        async def fed() -> bool:
            return len((await service.get(f"/rescans/{job['id']}/items"))["items"]) == 5

        await until(fed, "the first assets")
        keys = service.keys
    async with running(tmp_path, settings=settings, keys=keys) as service, screening(service, again):
        job = await ended(service, job["id"])
        assert (job["done"], job["total"], job["counts"]) == (17, 17, {"changed": 1, "unchanged": 16})
        assert len(await service.verdicts(18)) == 18


async def test_an_asset_given_up_on_its_way_is_counted_as_failed(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.publish(screened("a"))
        await service.verdicts(1)
        job = await start(service)
        event = screened("a", number=2, cause="rescanned", cause_id=job["id"])
        broken = event.model_dump_json().replace('"number":2', '"number":"two"', 1).encode()
        headers = {"ce_specversion": "1.0", "ce_type": event.TYPE, "ce_id": "1", "ce_time": "2026-11-01T09:00:00Z"}
        await service.backends.bus.publish([Record("assets.screened", "a", broken, headers)])
        job = await ended(service, job["id"])
        assert job["counts"] == {"failed": 1}


async def test_a_wrong_question_names_its_fault(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        for body in ({}, {"with": []}, {"with": ["magic"]}, {"with": ["rulebook"], "scope": {"outcome": "nice"}}):
            assert (await service.post("/rescans", body, status=422))["errors"]
