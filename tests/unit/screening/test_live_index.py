"""The live index over its folder: whatever comes, goes, is merged or starts again, it finds what brute force finds."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.screening.index_folder import own_folder
from services.screening.live_index import TOPIC, LiveIndex
from services.screening.seen import Seen, SeenPicture, SeenView
from shared.blobs.files import FileBlobs
from shared.bus.embedded import EmbeddedBus
from shared.cloudevents import Envelope, encode
from shared.events import (
    TOPICS,
    BankChanged,
    BankSettings,
    Event,
    Fingerprints,
    ReferenceDetails,
    ReferenceRegistered,
    ReferenceWithdrawn,
)
from shared.ids import new_id

NOW = datetime(2026, 11, 1, tzinfo=UTC)
VALUES = [np.random.default_rng(seed).bytes(32).hex() for seed in range(8)]


def registered(name: str, pdq: str, number: int = 1, bank: str = "protected", **prints: Any) -> ReferenceRegistered:
    given = {"sha256": "00" * 32, "pdq": pdq, "pdq_quality": 90} | prints
    return ReferenceRegistered(
        reference_id=name,
        number=number,
        details=ReferenceDetails(title=name, bank=bank),
        fingerprints=Fingerprints.model_validate(given),
        registered_at=NOW,
    )


def withdrawn(name: str, number: int = 2) -> ReferenceWithdrawn:
    details = ReferenceDetails(title=name, bank="protected")
    return ReferenceWithdrawn(reference_id=name, number=number, details=details, withdrawn_at=NOW)


@dataclass
class Machine:
    """A log, and an index over a folder that is opened and closed as processes start and end."""

    folder: Path
    bus: EmbeddedBus
    blobs: FileBlobs

    async def publish(self, *events: Event) -> None:
        await self.bus.publish([encode(Envelope(new_id(), "clearframe/test", NOW, event)) for event in events])

    @asynccontextmanager
    async def index(self) -> AsyncIterator[LiveIndex]:
        index = LiveIndex(self.blobs, self.folder / "index")
        await index.open(self.bus)
        following = asyncio.create_task(index.follow(self.bus))
        try:
            await index.reach(await self.bus.end_offset(TOPIC))
            yield index
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            index.close()


@asynccontextmanager
async def machine(folder: Path) -> AsyncIterator[Machine]:
    folder.mkdir(parents=True, exist_ok=True)
    bus, blobs = EmbeddedBus(folder / "bus.sqlite"), FileBlobs(folder / "blobs")
    await bus.ensure_topics(TOPICS)
    try:
        yield Machine(folder, bus, blobs)
    finally:
        await blobs.close()
        await bus.close()


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Machine]:
    async with machine(tmp_path) as started:
        yield started


async def found(index: LiveIndex, *, pdq: str | None = None, sha256: str = "") -> list[str]:
    view = (SeenView(name="hash", pdq={"identity": pdq}, pdq_quality=100, phash=None),) if pdq else ()
    matches = await index.search(Seen(SeenPicture(sha256=sha256, views=view)), NOW)
    return [match.reference.id for match in matches]


async def test_a_restart_goes_on_where_the_folder_ends(line: Machine) -> None:
    await line.publish(registered("a", VALUES[0], sha256="aa" * 32), registered("b", VALUES[1]), withdrawn("b"))
    async with line.index() as index:
        await index.merge()
        await line.publish(registered("c", VALUES[2]), withdrawn("a"))
        await index.reach(await line.bus.end_offset(TOPIC))
    again = LiveIndex(line.blobs, line.folder / "index")
    await again.open(line.bus)
    assert again.offset == 5, "nothing of the topic has to be read again"
    assert [await found(again, pdq=value) for value in VALUES[:3]] == [[], [], ["c"]]
    assert await found(again, sha256="aa" * 32) == []
    assert (len(again), again.banks()[0].references) == (1, 1)
    again.close()


async def test_equal_bytes_are_found_by_their_digest(line: Machine) -> None:
    await line.publish(*(registered(name, VALUES[0], sha256="cc" * 32) for name in ("b", "a")))
    async with line.index() as index:
        assert await found(index, sha256="cc" * 32) == ["a", "b"]


async def test_hashes_of_little_detail_are_not_searched(line: Machine) -> None:
    await line.publish(registered("poor", VALUES[0], pdq_quality=49), registered("good", VALUES[0]))
    async with line.index() as index:
        assert await found(index, pdq=VALUES[0]) == ["good"]


async def test_banks_are_remembered_with_what_they_hold(line: Machine) -> None:
    off = BankSettings(enabled=False)
    await line.publish(BankChanged(bank="stills", settings=off, changed_at=NOW), registered("a", VALUES[0]))
    await line.publish(registered("b", VALUES[1], bank="stills"), registered("a", VALUES[0], 2, bank="stills"))
    for _ in range(2):
        async with line.index() as index:
            assert [(bank.name, bank.references, bank.settings.enabled) for bank in index.banks()] == [
                ("protected", 0, True),
                ("stills", 2, False),
            ]
            assert await found(index, pdq=VALUES[1]) == []
            assert index.bank_changed_at("stills") == NOW


async def test_an_older_record_brings_nothing_back(line: Machine) -> None:
    await line.publish(registered("a", VALUES[0]), withdrawn("a"))
    async with line.index():
        pass
    await line.publish(registered("a", VALUES[0]))
    async with line.index() as index:
        assert await found(index, pdq=VALUES[0]) == []


@pytest.mark.parametrize("spoilt", ["hashes", "rows", "names", "manifest.json"])
async def test_a_damaged_segment_is_set_aside_and_nothing_is_missed(line: Machine, spoilt: str) -> None:
    await line.publish(*(registered(f"r{number}", value) for number, value in enumerate(VALUES)))
    async with line.index() as index:
        await index.merge()
    (file,) = (line.folder / "index" / "pdq").glob(f"segment-*/{spoilt}")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)
    async with line.index() as index:
        assert [await found(index, pdq=value) for value in VALUES] == [[f"r{number}"] for number in range(8)]
        assert index.refused[0].startswith(f"pdq/segment-00000001/{spoilt}")
        await index.merge()
    async with line.index() as index:
        assert (index.refused, index.unmerged) == ([], 0)


@pytest.mark.parametrize("spoilt", [b"", b"no database at all" * 300])
async def test_a_catalogue_that_cannot_be_read_is_filled_again(line: Machine, spoilt: bytes) -> None:
    await line.publish(registered("a", VALUES[0]), registered("b", VALUES[1]))
    async with line.index() as index:
        await index.merge()
    for file in (line.folder / "index").glob("catalogue.sqlite*"):
        file.write_bytes(spoilt)
    async with line.index() as index:
        assert [await found(index, pdq=value) for value in VALUES[:2]] == [["a"], ["b"]]


async def test_a_catalogue_of_another_version_is_filled_again(line: Machine) -> None:
    await line.publish(registered("a", VALUES[0]))
    async with line.index():
        pass
    base = sqlite3.connect(line.folder / "index" / "catalogue.sqlite")
    base.execute("PRAGMA user_version = 77")
    base.close()
    async with line.index() as index:
        assert await found(index, pdq=VALUES[0]) == ["a"]


@pytest.mark.parametrize("records", [0, 3, 9])
async def test_the_folder_of_another_log_is_begun_anew(line: Machine, tmp_path: Path, records: int) -> None:
    await line.publish(*(registered(f"old-{number}", VALUES[number]) for number in range(4)))
    async with line.index() as index:
        await index.merge()
    async with machine(tmp_path / "other") as other:
        await other.publish(*(registered(f"new-{number}", VALUES[7]) for number in range(records)))
        there = Machine(line.folder, other.bus, other.blobs)
        async with there.index() as index:
            assert [await found(index, pdq=value) for value in VALUES[:4]] == [[], [], [], []]
            assert len(await found(index, pdq=VALUES[7])) == records


def test_a_folder_serves_one_process(tmp_path: Path) -> None:
    with own_folder(tmp_path / "index") as first, own_folder(tmp_path / "index") as second:
        assert first == tmp_path / "index"
        assert second != first
        assert second.is_dir()
    assert not second.exists()
    with own_folder(tmp_path / "index") as third:
        assert third == first


NAMES = st.integers(0, 5).map(lambda number: f"r{number}")
STEPS = st.one_of(
    st.tuples(st.just("add"), NAMES, st.sampled_from(VALUES)),
    st.tuples(st.just("withdraw"), NAMES, st.just("")),
    st.tuples(st.sampled_from(["merge", "merge while it goes on", "restart"]), st.just(""), st.just("")),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=14))
def test_any_history_ends_as_a_dictionary_would(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, str]]
) -> None:
    asyncio.run(_history(tmp_path_factory.mktemp("history"), steps))


async def _history(folder: Path, steps: list[tuple[str, str, str]]) -> None:
    held: dict[str, str] = {}
    async with machine(folder) as line:
        left = list(enumerate(steps, 1))
        while True:
            async with line.index() as index:
                while left:
                    number, (step, name, value) = left.pop(0)
                    merging = asyncio.create_task(index.merge()) if step.startswith("merge") else None
                    if step == "add":
                        held[name] = value
                        await line.publish(registered(name, value, number))
                    elif step == "withdraw":
                        held.pop(name, None)
                        await line.publish(withdrawn(name, number))
                    elif step == "restart":
                        break
                    if step == "merge while it goes on":
                        held["r9"] = VALUES[0]
                        await line.publish(registered("r9", VALUES[0], number))
                    await index.reach(await line.bus.end_offset(TOPIC))
                    if merging is not None:
                        await merging
                for value in VALUES:
                    wanted = sorted(name for name, pdq in held.items() if pdq == value)
                    assert sorted(await found(index, pdq=value)) == wanted
                assert len(index) == len(held)
            if not left:
                return
