"""How long a rulebook takes to decide everything on record again, and how much memory that needs."""

import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sqlalchemy import select

from services.verdict.backtest import Asked, backtest
from services.verdict.tables import assets
from shared.rulebook.loader import shipped_rulebook
from shared.rulebook.tools import Tools
from shared.store.engine import Store
from tests.screenings import FINAL, MATCH, MOOD_BOARD, screened
from tests.verdict_bench import Bench, open_bench

_CASES = (MOOD_BOARD, FINAL, MOOD_BOARD | {"rights": {"recreates_protected": "unsure"}})


def measure(count: int = 100_000) -> dict[str, Any]:
    """Seconds, and MiB that deciding added to the process."""
    return asyncio.run(_measure(count))


async def _measure(count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        async with open_bench(f"sqlite://{Path(folder)}") as bench:
            await _record(bench, count)
            before, start, cpu = _peak(), time.perf_counter(), time.process_time()
            decided, after = 0, ""
            while True:
                asked = Asked(after=after, limit=1000)
                page = await backtest(bench.store, shipped_rulebook(), Tools(), asked, bench.now + timedelta(hours=1))
                decided += page.decided
                if page.following is None:
                    break
                after = page.following
            seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    assert decided == count
    return {
        "decided": decided,
        "seconds": round(seconds, 1),
        "cpu": round(cpu, 1),
        "added_mib": round((_peak() - before) / 1024, 1),
    }


async def _record(bench: Bench, count: int) -> None:
    """Some assets that were decided, and as many copies of them as it takes."""
    await bench.settle(*(screened(f"m{n}", declaration=case) for n, case in enumerate(_CASES)))
    await bench.settle(screened("m9", findings=(MATCH,)))
    for rows in _copies([row._asdict() for row in await bench.rows(assets)], count):
        await _insert(bench.store, rows)
    async with bench.store.write() as connection:
        await connection.execute(assets.delete().where(assets.c.asset_id.like("m%")))
    async with bench.store.read() as connection:
        assert len((await connection.execute(select(assets.c.asset_id))).all()) == count


def _copies(rows: list[dict[str, Any]], count: int) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, count, 1000):
        numbers = range(start, min(start + 1000, count))
        yield [_named(rows[number % len(rows)], f"asset-{number:07}") for number in numbers]


def _named(row: dict[str, Any], asset_id: str) -> dict[str, Any]:
    text = row["screened"].replace(f'"{row["asset_id"]}"', f'"{asset_id}"')
    return row | {"asset_id": asset_id, "screened": text}


async def _insert(store: Store, rows: list[dict[str, Any]]) -> None:
    async with store.write() as connection:
        await connection.execute(assets.insert(), rows)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    found = measure()
    print(f"{found['decided']:,} recorded facts decided again in {found['seconds']} s ({found['cpu']} s of CPU)")
    print(f"the peak of memory grew by {found['added_mib']} MiB")
