"""One holder at a time, whatever the database."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta

from sqlalchemy import Table, update

from shared.store.engine import Store
from shared.store.leases import Lease
from shared.store.processes import is_gone, this_process


async def end_at(store: Store, leases: Table, until: datetime) -> None:
    async with store.write() as connection:
        await connection.execute(update(leases).values(until=until))


async def test_one_of_many_gets_it(store: Store, leases: Table) -> None:
    rivals = [Lease(store, leases, "relay", f"holder-{i}") for i in range(10)]
    assert sum(await asyncio.gather(*(rival.take() for rival in rivals))) == 1


async def test_its_holder_renews_it_and_others_wait(store: Store, leases: Table) -> None:
    mine, other = (Lease(store, leases, "relay", name) for name in "ab")
    assert await mine.take()
    assert await mine.take()
    assert not await other.take()


async def test_names_do_not_disturb_one_another(store: Store, leases: Table) -> None:
    assert await Lease(store, leases, "relay", "a").take()
    assert await Lease(store, leases, "timer", "b").take()


async def test_it_passes_on_at_release_and_only_by_its_holder(store: Store, leases: Table) -> None:
    mine, other = (Lease(store, leases, "relay", name) for name in "ab")
    await mine.take()
    await other.release()
    assert not await other.take()
    await mine.release()
    assert await other.take()
    assert not await mine.take()


async def test_it_ends_when_the_holder_falls_silent(store: Store, leases: Table) -> None:
    mine, other = (Lease(store, leases, "relay", name) for name in "ab")
    await mine.take()
    await end_at(store, leases, datetime.now(UTC) - timedelta(seconds=1))
    assert await other.take()


async def test_a_clock_set_back_does_not_lock_everybody_out(store: Store, leases: Table) -> None:
    mine, other = (Lease(store, leases, "relay", name) for name in "ab")
    await mine.take()
    await end_at(store, leases, datetime.now(UTC) + timedelta(hours=2))
    assert await other.take()


async def test_a_killed_process_holds_nothing(store: Store, leases: Table) -> None:
    script = "from shared.store.processes import this_process; print(this_process(), flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", script], stdin=-1, stdout=-1, text=True)
    with process:
        assert process.stdout
        mark = process.stdout.readline().strip()
        mine = Lease(store, leases, "relay", "mine")
        await mine.take()
        async with store.write() as connection:
            await connection.execute(update(leases).values(holder=f"{mark}/other"))
        assert not await mine.take()
        process.kill()
        process.wait()
    assert await mine.take()


def test_a_mark_of_another_machine_is_never_gone() -> None:
    place, pid, start = this_process().split(".")
    assert not is_gone(this_process())
    assert is_gone(f"{place}.{pid}.1")
    assert not is_gone(f"elsewhere.{pid}.1")
    assert not is_gone("")
    assert not is_gone(f"{place}.x.{start}")
