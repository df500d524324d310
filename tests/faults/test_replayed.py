"""Every event of a real run once to fifty times, in any order: the same final state."""

import os
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.bus.port import Record
from tests.drawings import jpeg, photo, png, poster
from tests.faults.log import OF_VERDICT, await_rest, publish, records_of
from tests.faults.machine import Machine, machine, prepared, with_key
from tests.faults.oracle import MOOD_BOARD, UNDECLARED, receiver

pytestmark = pytest.mark.faults
SMALL = (160, 200)
INPUTS = ("assets.submitted", "references.submitted", "rescans")
WORKS = {"early": 900, "late": 901, "withdrawn": 902}  # title -> seed of its picture
SEED = int(os.environ.get("CLEARFRAME_TEST_SEED", "1"))


@dataclass(frozen=True)
class Recording:
    """A run that is over: its data folder, all that went over its bus, what its webhook got, and how it ended."""

    data: Path
    records: Sequence[Record]
    told: list[tuple[str, Any]]
    state: dict[str, Any]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    with receiver() as (url, told):
        with machine(tmp_path_factory.mktemp("recorded")) as line:
            line.client.post("verdict", "/v1/webhooks", {"url": url})
            _live(line)
            await_rest(line.bus)
            records, state = records_of(line.bus), _state(line)
        assert {r.topic for r in records} >= {*INPUTS, "assets.screened", "verdicts", "escalations", "references"}
        assert {verdict["outcome"] for verdict in state["verdicts"].values()} == {"clear", "escalate"}
        yield Recording(line.data, records, told, state)


def _live(line: Machine) -> None:
    """Uploads of every kind, works that come and go, changed minds, banks that are set twice, rescans."""
    line.protect(png(poster(WORKS["early"], SMALL)), "early")
    gone = line.protect(png(poster(WORKS["withdrawn"], SMALL)), "withdrawn")
    uploads = [line.submit(png(photo(number, SMALL))) for number in range(4)]
    uploads += [line.submit(png(photo(10, SMALL)), UNDECLARED), line.submit(b"no picture at all", name="text.png")]
    uploads += [line.submit(jpeg(poster(number, SMALL))) for number in (900, 901, 902)]
    for upload in uploads:
        line.decided(upload)
    line.protect(png(poster(WORKS["late"], SMALL)), "late")
    assert line.ask("DELETE", f"/v1/references/{gone}").is_success
    for upload, told in ((uploads[0], UNDECLARED), (uploads[4], MOOD_BOARD)):
        assert line.ask("PUT", f"/v1/assets/{upload}/declaration", json=told).status_code == 202
        line.client.get("ingest", f"/v1/assets/{upload}", wait=60)
    for distance in (20, 31):
        assert line.ask("PUT", "/v1/banks/protected", json={"purpose": "protect", "max_distance": distance}).is_success
    await_rest(line.bus)
    assert line.rescan("references")["counts"]["changed"] == 2
    assert "changed" not in line.rescan("references", "rulebook", "engine")["counts"]


def _state(line: Machine) -> dict[str, Any]:
    """What stands and what is searched for, without the ids, times and numbers that a history leaves."""
    works = {}
    for title, seed in WORKS.items():
        matches = line.ask("POST", "/v1/lookups", files={"file": ("work.png", png(poster(seed, SMALL)))}).json()[
            "matches"
        ]
        works[title] = [match["reference"] for match in matches]
    return _decided(line) | {"works": works, "banks": line.client.get("screening", "/v1/banks")["items"]}


def _decided(line: Machine) -> dict[str, Any]:
    standing: dict[str, Any] = {}
    for verdict in line.client.every("verdict", "/v1/verdicts"):
        standing.setdefault(verdict["asset_id"], verdict)
        if verdict["revision"] > standing[verdict["asset_id"]]["revision"]:
            standing[verdict["asset_id"]] = verdict
    kept = ("outcome", "reasons", "findings", "to_do", "summary", "content_sha256")
    cases = [case for case in line.client.every("verdict", "/v1/escalations") if case["state"] != "closed"]
    return {
        "verdicts": {asset: {name: verdict[name] for name in kept} for asset, verdict in standing.items()},
        "open": sorted(case["asset_id"] for case in cases),
    }


@pytest.fixture(params=[SEED, SEED + 1])
def chance(request: pytest.FixtureRequest) -> random.Random:
    print(f"CLEARFRAME_TEST_SEED={request.param}")
    return random.Random(request.param)


def _repeated(records: Sequence[Record], chance: random.Random) -> list[Record]:
    """Each once to fifty times, in any order, and the oldest of each key once more at the very end."""
    many = [record for record in records for _ in range(chance.randint(1, 50))]
    chance.shuffle(many)
    oldest = {(record.topic, record.key): record for record in reversed(records)}
    return [*many, *oldest.values()]


@pytest.fixture
def fresh(recording: Recording, tmp_path: Path) -> Iterator[Machine]:
    """A new installation that holds the recorded one's blobs, and nothing else of it."""
    made = prepared(tmp_path)
    shutil.copytree(recording.data / "blobs", made.data / "blobs")
    made.process.start()
    yield with_key(made)
    assert made.process.stop() == 0, made.process.tail()


def test_what_comes_in_may_come_in_any_order(fresh: Machine, recording: Recording, chance: random.Random) -> None:
    arrived = [record for record in recording.records if record.topic in INPUTS]
    publish(fresh.bus, _repeated(arrived, chance))
    await_rest(fresh.bus)
    fresh.rescan("references")  # a work that came after an upload is not searched in it before
    await_rest(fresh.bus)
    assert _decided(fresh) == {name: recording.state[name] for name in ("verdicts", "open")}
    assert _state(fresh)["works"] == recording.state["works"]
    _check_record(fresh)


def test_screenings_may_reach_the_verdict_service_in_any_order(
    fresh: Machine, recording: Recording, chance: random.Random
) -> None:
    screened = [record for record in recording.records if record.topic == "assets.screened"]
    publish(fresh.bus, _repeated(screened, chance))
    await_rest(fresh.bus, OF_VERDICT)
    assert _decided(fresh) == {name: recording.state[name] for name in ("verdicts", "open")}
    _check_record(fresh)


def test_nothing_happens_twice_when_all_events_come_again(
    tmp_path: Path, recording: Recording, chance: random.Random
) -> None:
    shutil.copytree(recording.data, tmp_path / "data")
    with machine(tmp_path) as line:
        before, told = _whole(line), {webhook_id for webhook_id, _ in recording.told}
        assert told
        publish(line.bus, _repeated(recording.records, chance))
        await_rest(line.bus)
        assert _whole(line) == before
        assert {webhook_id for webhook_id, _ in recording.told} == told
        _check_record(line)


def _whole(line: Machine) -> dict[str, Any]:
    """Everything there is, ids and times too."""
    lists = {
        path: list(line.client.every("verdict", f"/v1/{path}"))
        for path in ("verdicts", "escalations", "assets", "references", "rescans")
    }
    return lists | _state(line)


def _check_record(line: Machine) -> None:
    verdicts = list(line.client.every("verdict", "/v1/verdicts"))
    causes = [(verdict["asset_id"], verdict["cause"], verdict["cause_id"]) for verdict in verdicts]
    assert len(causes) == len(set(causes))
    assert line.client.post("verdict", "/v1/ledger/verify")["intact"]
    assert list(line.client.every("verdict", "/v1/dead-letters")) == []
