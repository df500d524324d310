"""The live index over its folder: whatever comes, goes, is merged or starts again, it finds what brute force finds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.screening.index_folder import own_folder
from services.screening.live_index import TOPIC, LiveIndex
from shared.errors import ConfigurationError
from shared.events import BankChanged, BankSettings
from tests.unit.screening.index_line import NOW, VALUES, Machine, found, machine, registered, withdrawn


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Machine]:
    async with machine(tmp_path) as started:
        yield started


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
    await line.publish(registered("a", VALUES[0]), withdrawn("a"), registered("b", VALUES[1]))
    async with line.index():
        pass
    await line.publish(registered("a", VALUES[0]))
    async with line.index() as index:
        assert await found(index, pdq=VALUES[0]) == []


@pytest.mark.parametrize(("superseded", "goes_on"), [(1, True), (5, True), (20, False)])
async def test_a_log_is_known_again_by_what_compaction_left_of_it(
    line: Machine, superseded: int, goes_on: bool
) -> None:
    """Records that came last, each superseded while no index ran; where all that is marked is gone, it begins anew."""
    async with line.index() as index:
        for number in range(20):
            await line.publish(registered(f"r{number}", VALUES[number % 8], 1 + number))
            await index.reach(await line.bus.end_offset(TOPIC))
    await line.publish(*(withdrawn(f"r{number}", 100) for number in range(20 - superseded, 20)))
    again = LiveIndex(line.blobs, line.folder / "index")
    await again.open(line.bus)
    assert again.offset == (20 if goes_on else 0)
    again.close()
    async with line.index() as index:
        assert len(index) == 20 - superseded


async def test_another_log_is_not_taken_for_ours_where_compaction_left_gaps(line: Machine, tmp_path: Path) -> None:
    await line.publish(*(registered(f"old-{number}", VALUES[number]) for number in range(4)))
    async with line.index():
        pass
    async with machine(tmp_path / "other") as other:
        await other.publish(*(registered("new", VALUES[7], number) for number in range(1, 10)))
        async with Machine(line.folder, other.bus, other.blobs).index() as index:
            assert (await found(index, pdq=VALUES[0]), await found(index, pdq=VALUES[7])) == ([], ["new"])


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


def test_a_folder_that_cannot_be_written_is_told_with_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(ConfigurationError, match="CLEARFRAME_SCREENING__INDEX"),
        own_folder(tmp_path / "file" / "index"),
    ):
        pass


NAMES = st.integers(0, 5).map(lambda number: f"r{number}")
STEPS = st.one_of(
    st.tuples(st.just("add"), NAMES, st.sampled_from(VALUES)),
    st.tuples(st.just("withdraw"), NAMES, st.just("")),
    st.tuples(st.sampled_from(["merge", "merge while it goes on", "restart"]), st.just(""), st.just("")),
)


@settings(max_examples=16, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=14), kept=st.booleans())
def test_any_history_ends_as_a_dictionary_would(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, str]], kept: bool
) -> None:
    asyncio.run(_history(tmp_path_factory.mktemp("history"), steps, kept=kept))


async def _history(folder: Path, steps: list[tuple[str, str, str]], *, kept: bool) -> None:
    held: dict[str, str] = {}
    async with machine(folder) as line:
        line.kept = kept
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
                    assert sorted(await found(index, phash=value[:16])) == wanted
                assert len(index) == len(held)
            if not left:
                return
