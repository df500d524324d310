"""The decode pool with real processes: death, limits, walls, idleness, and the same answers however many work."""

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from services.screening.landlock import restrict
from services.screening.pool import DecodePool, PoolError, PoolSettings
from tests import drawings

pytestmark = pytest.mark.slow

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="walls of the Linux kernel")
ODD = PoolSettings(job="tests.unit.screening.pool.jobs:by_content", cpu_seconds=1, wall_seconds=20)
Order = Callable[[DecodePool, str], Awaitable[str]]


@pytest.fixture
def order(tmp_path: Path) -> Order:
    """Have the misbehaving job do something; returns what it says, or the reason for being unscreenable."""

    async def run(pool: DecodePool, text: str) -> str:
        path = tmp_path / str(abs(hash(text)))
        path.write_text(text)
        decoded = await pool.run(path)
        return decoded.unscreenable.reason if decoded.unscreenable else decoded.format

    return run


async def test_a_process_that_dies_takes_only_its_own_file_with_it(order: Order) -> None:
    async with DecodePool(PoolSettings(job=ODD.job, workers=2)) as pool:
        orders = ["say 1", "die", "say 2", "die again", "say 3", "raise"]
        found = await asyncio.gather(*(order(pool, text) for text in orders))
    assert found == ["1", "resource_limit", "2", "resource_limit", "3", "resource_limit"]


async def test_a_file_is_tried_once_more_after_a_death(order: Order, tmp_path: Path) -> None:
    where = str(tmp_path / "door")
    answers = [b"d", b"l"]

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answers.pop(0))
        writer.close()

    async with await asyncio.start_unix_server(answer, where), DecodePool(ODD) as pool:
        assert await order(pool, f"die_unless {where}") == "survived"
    assert answers == []


async def test_cpu_time_is_limited_per_file_not_per_process(order: Order) -> None:
    async with DecodePool(ODD) as pool:
        assert await order(pool, "say 1") == "1"
        (before,) = pool.idle_pids
        assert await order(pool, "spin") == "resource_limit"
        assert await order(pool, "say 2") == "2"
        assert pool.idle_pids != [before]


async def test_wall_clock_time_is_limited(order: Order) -> None:
    async with DecodePool(PoolSettings(job=ODD.job, wall_seconds=0.3)) as pool:
        assert await order(pool, "wait 30") == "resource_limit"
        assert await order(pool, "say on") == "on"


@linux
async def test_memory_is_limited(order: Order) -> None:
    async with DecodePool(ODD) as pool:
        assert await order(pool, f"grow {300 << 20}") == str(300 << 20)
        assert await order(pool, f"grow {480 << 20}") == "refused"


@linux
async def test_the_walls_keep_files_programs_and_the_network_out(order: Order, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of another production")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        argument = f"{tmp_path}:{listening.getsockname()[1]}"
        async with DecodePool(ODD) as pool:
            allowed = await order(pool, f"attempt {argument}")
    if restrict_is_known():
        assert allowed == ""
    assert not (tmp_path / "written").exists() or not restrict_is_known()


def restrict_is_known() -> bool:
    """Asked in a process of its own, since a restriction is for good."""
    child = os.fork()
    if child == 0:
        os._exit(0 if restrict([]) else 1)
    return os.waitpid(child, 0)[1] == 0


async def test_the_environment_stays_outside(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARFRAME_SECRET", "x")
    async with DecodePool(ODD) as pool:
        assert await order(pool, "environment CLEARFRAME_SECRET") == "None"


async def test_processes_start_on_first_use_and_leave_when_idle(order: Order) -> None:
    async with DecodePool(PoolSettings(job=ODD.job, idle_seconds=0.05)) as pool:
        assert pool.idle_pids == []
        await order(pool, "say 1")
        (pid,) = pool.idle_pids
        await asyncio.wait_for(gone(pid), 5)
        assert pool.idle_pids == []
        assert await order(pool, "say 2") == "2"


async def test_a_process_is_replaced_after_its_share_of_files(order: Order) -> None:
    async with DecodePool(PoolSettings(job=ODD.job, files_per_process=2)) as pool:
        await order(pool, "say 1")
        (pid,) = pool.idle_pids
        await order(pool, "say 2")
        await asyncio.wait_for(gone(pid), 5)


async def test_a_cancelled_file_leaves_no_process_behind(order: Order) -> None:
    async with DecodePool(ODD) as pool:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(order(pool, "wait 60"), 2)
        assert pool.idle_pids == []
        assert await order(pool, "say next") == "next"


async def test_a_broken_installation_is_no_verdict_on_a_file(order: Order, capfd: pytest.CaptureFixture[str]) -> None:
    async with DecodePool(PoolSettings(job="tests.unit.screening.pool.jobs:missing")) as pool:
        with pytest.raises(PoolError, match="did not start"):
            await order(pool, "say 1")
    assert "missing" in capfd.readouterr().err


async def test_a_missing_file_is_the_callers_affair(tmp_path: Path) -> None:
    async with DecodePool() as pool:
        with pytest.raises(FileNotFoundError):
            await pool.run(tmp_path / "missing")


async def test_the_same_answers_from_one_worker_and_from_many(tmp_path: Path) -> None:
    paths = []
    for seed in range(12):
        path = tmp_path / f"{seed}"
        drawings.photo(seed, (320, 240)).save(path, ("JPEG", "PNG", "WEBP", "GIF")[seed % 4])
        path.write_bytes(path.read_bytes()[: -400 if seed % 5 == 4 else None])
        paths.append(path)
    async with DecodePool(PoolSettings(workers=1)) as one, DecodePool(PoolSettings(workers=4)) as many:
        found = [await one.run(path) for path in paths]
        assert await asyncio.gather(*(many.run(path) for path in paths)) == found
    assert {decoded.unscreenable is None for decoded in found} == {True, False}


async def gone(pid: int) -> None:
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        await asyncio.sleep(0.01)
