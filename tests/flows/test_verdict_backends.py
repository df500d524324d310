"""The whole way of a verdict, the same on one machine and on Kafka with PostgreSQL."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.bus.port import Bus
from shared.connect import open_bus
from shared.ids import new_id
from tests.screenings import FINAL, MATCH, MOOD_BOARD, screened
from tests.verdict_receiver import receiving
from tests.verdict_service import running, until

DASHBOARD = Path(__file__).parents[2] / "docs" / "dashboard_consumer.py"


@dataclass(frozen=True)
class Places:
    """Where the service keeps its things. `kafka` is empty on one machine."""

    store_url: str
    bus_url: str
    kafka: str = ""
    prefix: str = ""

    def open_bus(self) -> Bus:
        """A bus of its own; whoever opens it closes it."""
        return open_bus(self.bus_url, prefix=self.prefix) if self.kafka else open_bus(self.bus_url)


@pytest.fixture(params=["one machine", pytest.param("servers", marks=pytest.mark.real)])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Places:
    if request.param == "one machine":
        return Places(f"sqlite://{tmp_path}", f"embedded://{tmp_path}/bus.sqlite")
    url = str(request.getfixturevalue("kafka_url"))
    return Places(
        str(request.getfixturevalue("postgres_database")), url, url.removeprefix("kafka://"), f"t{new_id()[-12:]}."
    )


async def test_screened_decided_told_reviewed_and_proven(places: Places, tmp_path: Path) -> None:
    async with (
        receiving() as receiver,
        running(tmp_path, bus=places.open_bus(), store_url=places.store_url) as service,
    ):
        await service.post("/webhooks", {"url": receiver.url}, status=201)
        await service.publish(*[screened("a"), screened("b", declaration=FINAL), screened("c", findings=(MATCH,))] * 5)
        await service.verdicts(3)

        async def told() -> bool:
            return len(receiver.received) == 2

        await until(told, "two webhooks")
        paper = {"kind": "written_approval", "rules": ["P4", "A-FIN-1"], "scope": {"production": "atlas"}}
        document = await service.post("/documents", paper | {"given_by": "The studio"}, status=201)
        assert (await service.verdicts(4))[0]["outcome"] == "clear"
        await service.post(f"/documents/{document['id']}/revoke", {"reason": "over"})
        assert (await service.verdicts(5))[0]["cause"] == "document_revoked"
        case = (await service.get("/escalations", asset_id="c"))["items"][0]
        await service.post(f"/escalations/{case['id']}/decide", {"decision": "not_a_match", "reason": "another ship"})
        verdicts = await service.verdicts(6)
        job = await service.post("/rescans", {"with": ["rulebook"]}, status=202)

        async def over() -> Any:
            return (await service.get(f"/rescans/{job['id']}", wait=1))["counts"] == {"unchanged": 3}

        await until(over, "the rescan")
        for verdict in verdicts:
            assert (await service.post(f"/verdicts/{verdict['id']}/replay"))["same"]
        ledger = await service.post("/ledger/verify")
        assert (ledger["intact"], ledger["entries"]) == (True, 6)


@pytest.mark.real
@pytest.mark.parametrize("places", ["servers"], indirect=True)
async def test_an_independent_consumer_of_twenty_lines_reads_complete_verdicts(places: Places, tmp_path: Path) -> None:
    async with running(tmp_path, bus=places.open_bus(), store_url=places.store_url) as service:
        await service.publish(screened("a"), screened("b", declaration=FINAL))
        await service.verdicts(2)
        command = [sys.executable, "-u", str(DASHBOARD), places.kafka, f"{places.prefix}verdicts"]
        reader = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert reader.stdout is not None
        try:
            lines = sorted([(await asyncio.wait_for(reader.stdout.readline(), 30)).decode() for _ in range(2)])
        finally:
            reader.terminate()
            await reader.wait()
    assert lines[0].startswith("clear    atlas Harbour at dusk, plate 12: M-LOW-1")
    assert lines[1].startswith("escalate atlas Harbour at dusk, plate 12: ")
    assert "A-FIN-1" in lines[1]


def test_the_consumer_stays_as_short_as_it_says() -> None:
    lines = [line for line in DASHBOARD.read_text().partition('"""\n\n')[2].splitlines() if line.strip()]
    assert len(lines) <= 20


@pytest.mark.real
@pytest.mark.parametrize("places", ["servers"], indirect=True)
async def test_two_replicas_share_the_work_and_keep_one_chain(places: Places, tmp_path: Path) -> None:
    count = 60
    events = [screened(f"asset-{n}", declaration=FINAL if n % 3 == 0 else MOOD_BOARD) for n in range(count)]
    async with (
        receiving() as receiver,
        running(tmp_path, bus=places.open_bus(), store_url=places.store_url) as one,
        running(tmp_path, bus=places.open_bus(), store_url=places.store_url, keys=one.keys) as other,
    ):
        await one.post("/webhooks", {"url": receiver.url}, status=201)
        await asyncio.gather(one.publish(*events), other.publish(*events), one.publish(*events))
        await one.verdicts(count)

        async def told() -> bool:
            return len(receiver.received) >= count // 3

        await until(told, "the webhooks")
        await one.at_rest()
        assert len((await other.get("/verdicts", limit=200))["items"]) == count
        assert len(set(receiver.ids())) == len(receiver.ids()) == count // 3
        ledger = await other.post("/ledger/verify")
        assert (ledger["intact"], ledger["entries"]) == (True, count)
