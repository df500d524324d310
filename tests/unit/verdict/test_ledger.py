"""The chain: one flipped byte in any column is found, and a purge leaves it valid."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from services.verdict import ledger, tables
from services.verdict.record import Head
from tests.screenings import FINAL, MATCH, screened
from tests.verdict_bench import Bench

COLUMNS = [column.name for column in tables.ledger.columns]


async def _fill(bench: Bench) -> None:
    await bench.settle(screened("a"), screened("b", declaration=FINAL), screened("c", findings=(MATCH,)))


async def test_an_untouched_chain_holds(bench: Bench) -> None:
    assert (await ledger.verify(bench.store)).broken is None
    await _fill(bench)
    verified = await ledger.verify(bench.store)
    assert (verified.entries, verified.broken) == (3, None)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("column", COLUMNS)
async def test_one_flipped_byte_is_found(bench: Bench, tmp_path: Path, column: str) -> None:
    await _fill(bench)
    database = sqlite3.connect(tmp_path / "verdict.sqlite")
    (value,) = database.execute(f"SELECT {column} FROM ledger WHERE sequence = 2").fetchone()
    for flipped in _flips(value):
        database.execute(f"UPDATE ledger SET {column} = ? WHERE sequence = 2", (flipped,))
        database.commit()
        broken = (await ledger.verify(bench.store)).broken
        assert broken is not None, f"{column}: {value!r} -> {flipped!r} went unnoticed"
        assert broken.sequence in (2, 3)
        where = "WHERE sequence = ?" if column == "sequence" else "WHERE sequence = 2 AND ?"
        database.execute(f"UPDATE ledger SET {column} = ? {where}", (value, flipped if column == "sequence" else 1))
        database.commit()
    database.close()
    assert (await ledger.verify(bench.store)).broken is None


def _flips(value: Any) -> list[Any]:
    """The value with one bit turned, at its start, middle and end."""
    if isinstance(value, int):
        return [value ^ 64]
    raw = str(value).encode()
    places = sorted({0, len(raw) // 2, len(raw) - 1})
    return [(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]).decode() for at in places]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_bytes_that_are_no_text_any_more_are_found(bench: Bench, tmp_path: Path) -> None:
    await _fill(bench)
    database = sqlite3.connect(tmp_path / "verdict.sqlite")
    database.execute("UPDATE ledger SET record = CAST(x'ff' || record AS TEXT) WHERE sequence = 2")
    database.commit()
    database.close()
    broken = (await ledger.verify(bench.store)).broken
    assert broken is not None
    assert broken.sequence == 2


@pytest.mark.parametrize(
    "statement", ["DELETE FROM ledger WHERE sequence = 2", "DELETE FROM ledger WHERE sequence = 3"]
)
async def test_a_missing_entry_is_found(bench: Bench, statement: str) -> None:
    await _fill(bench)
    async with bench.store.write() as connection:
        await connection.execute(text(statement))
    assert (await ledger.verify(bench.store)).broken is not None


async def test_a_purge_leaves_the_chain_valid_and_the_outcome_readable(bench: Bench) -> None:
    await _fill(bench)
    async with bench.store.write() as connection:
        await ledger.purge(connection, "c")
    assert (await ledger.verify(bench.store)).broken is None
    purged = (await bench.verdicts())[2]
    assert (purged.outcome, purged.title, purged.filename) == ("escalate", None, None)
    assert "lighthouse" not in purged.model_dump_json()
    assert any(reason.rule.startswith("S-MATCH-WHOLE") for reason in purged.reasons)


async def test_personal_text_is_outside_of_what_the_chain_covers(bench: Bench) -> None:
    await _fill(bench)
    for row in await bench.rows(tables.ledger):
        for text_ in ("Harbour", "plate 12", "uma", "house-diffusion", "lighthouse"):
            assert text_ not in row.record


async def test_the_sequence_is_the_order_of_commits(bench: Bench) -> None:
    for number in range(1, 4):
        await bench.settle(screened(f"asset-{number}"))
    assert [verdict.sequence for verdict in await bench.verdicts()] == [1, 2, 3]
    async with bench.store.write() as connection:
        head = await ledger.lock_head(connection)
    assert isinstance(head, Head)
    assert head.sequence == 3
