"""Whatever happens to the files of the index: nothing is missed, and nothing is answered before all is there again."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from services.screening.live_index import TOPIC
from shared.errors import Retry
from shared.events import BankChanged, BankSettings
from tests.unit.screening.index_line import NOW, VALUES, Machine, found, machine, registered


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Machine]:
    async with machine(tmp_path) as started:
        yield started


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


def spoil(folder: Path, statement: str) -> None:
    base = sqlite3.connect(folder / "index" / "catalogue.sqlite")
    base.execute("PRAGMA writable_schema = ON")
    base.execute(statement)
    base.commit()
    base.close()


SPOILT = [
    "DELETE FROM works WHERE id = 'b'",
    "UPDATE works SET record = substr(record, 1, 40)",
    "UPDATE works SET record = CAST(x'ff7b22' AS TEXT)",
    "UPDATE banks SET settings = 'no settings'",
    "DELETE FROM sqlite_master WHERE name = 'works'",
    "UPDATE sqlite_master SET rootpage = 999999 WHERE name = 'works'",
]


@pytest.mark.parametrize("statement", SPOILT)
async def test_a_catalogue_that_shows_damage_when_it_is_asked_gives_no_answer_until_it_is_filled_again(
    line: Machine, statement: str
) -> None:
    await line.publish(*(registered(name, VALUES[number]) for number, name in enumerate("abc")))
    await line.publish(BankChanged(bank="protected", settings=BankSettings(), changed_at=NOW))
    async with line.index() as index:
        await index.merge()
    spoil(line.folder, statement)
    async with line.index() as index:
        with suppress(Retry):
            assert await found(index, pdq=VALUES[1]) == ["b"]
        await index.reach(await line.bus.end_offset(TOPIC))
        assert [await found(index, pdq=value) for value in VALUES[:4]] == [["a"], ["b"], ["c"], []]
        assert len(index) == 3


async def test_what_cannot_be_saved_is_not_answered_and_is_tried_again(line: Machine) -> None:
    await line.publish(registered("a", VALUES[0]))
    async with line.index() as index:
        other = sqlite3.connect(line.folder / "index" / "catalogue.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await line.publish(registered("b", VALUES[1]))
        with pytest.raises(Retry):
            await index.reach(await line.bus.end_offset(TOPIC), seconds=0.5)
        with pytest.raises(Retry):
            await found(index, pdq=VALUES[0])
        other.close()
        await index.reach(await line.bus.end_offset(TOPIC))
        assert [await found(index, pdq=value) for value in VALUES[:2]] == [["a"], ["b"]]
