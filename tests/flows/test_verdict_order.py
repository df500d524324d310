"""Every event once to fifty times, in any order and any batches: the same final state."""

import random
from pathlib import Path
from typing import Any

import pytest

from services.verdict import ledger, tables
from shared.events import AssetScreened
from tests.screenings import FINAL, MATCH, MOOD_BOARD, screened
from tests.verdict_bench import Bench, open_bench

pytestmark = pytest.mark.slow

HISTORIES: dict[str, list[AssetScreened]] = {
    "clear": [screened("clear")],
    "amended": [
        screened("amended", declaration=FINAL),
        screened("amended", number=2, declaration=MOOD_BOARD, cause="declaration_amended"),
    ],
    "found": [screened("found"), screened("found", number=2, findings=(MATCH,), cause="rescanned", cause_id="r1")],
    "back": [
        screened("back"),
        screened("back", number=2, findings=(MATCH,), cause="rescanned", cause_id="r1"),
        screened("back", number=3, cause="rescanned", cause_id="r2"),
    ],
    "same": [screened("same", declaration=FINAL), screened("same", number=2, declaration=FINAL, cause="rescanned")],
    "still": [
        screened("still", declaration=FINAL),
        screened("still", number=2, declaration=FINAL, findings=(MATCH,), cause="rescanned", cause_id="r1"),
    ],
}
EVENTS = [event for history in HISTORIES.values() for event in history]


async def final_state(bench: Bench) -> dict[str, Any]:
    """What stands, without ids, times and what differs by history: how many revisions led there."""
    standing = {verdict.asset_id: verdict for verdict in await bench.verdicts()}
    open_cases = {row.asset_id for row in await bench.rows(tables.escalations) if row.closed_at is None}
    return {
        row.asset_id: {
            "number": row.number,
            "screened": row.screened,
            "outcome": standing[row.asset_id].outcome,
            "reasons": standing[row.asset_id].reasons,
            "findings": standing[row.asset_id].findings,
            "to_do": standing[row.asset_id].to_do,
            "open": row.asset_id in open_cases,
            "handled": {(one.cause, one.cause_id) for one in await bench.rows(tables.handled)
                        if one.asset_id == row.asset_id},
        }
        for row in await bench.rows(tables.assets)
    }  # fmt: skip


async def expected_state(folder: Path) -> dict[str, Any]:
    async with open_bench(f"sqlite://{folder}") as bench:
        for event in EVENTS:
            await bench.settle(event)
        return await final_state(bench)


@pytest.mark.parametrize("seed", range(6))
async def test_duplicates_and_disorder_change_nothing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    repeated = [event for event in EVENTS for _ in range(chance.randint(1, 50))]
    chance.shuffle(repeated)
    expected = await expected_state(tmp_path / "in-order")
    async with open_bench(f"sqlite://{tmp_path}/shuffled") as bench:
        while repeated:
            size = chance.randint(1, 60)
            batch, repeated = repeated[:size], repeated[size:]
            await bench.settle(*batch)
        assert await final_state(bench) == expected
        verdicts = await bench.verdicts()
        causes = [(verdict.asset_id, verdict.cause, verdict.cause_id) for verdict in verdicts]
        assert len(causes) == len(set(causes))
        assert (await ledger.verify(bench.store)).broken is None


async def test_in_order_each_telling_event_makes_its_revision(tmp_path: Path) -> None:
    async with open_bench(f"sqlite://{tmp_path}") as bench:
        await bench.settle(*EVENTS)
        revisions: dict[str, int] = {}
        for verdict in await bench.verdicts():
            revisions[verdict.asset_id] = verdict.revision
    assert revisions == {"clear": 1, "amended": 2, "found": 2, "back": 3, "same": 1, "still": 2}
