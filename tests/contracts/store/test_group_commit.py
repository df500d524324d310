"""Commits shared by many callers, whatever the database."""

import asyncio

import pytest
from sqlalchemy import Table, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.store.engine import Store


async def names(store: Store, counters: Table) -> set[str]:
    async with store.read() as connection:
        return set((await connection.execute(select(counters.c.name))).scalars())


def adding(counters: Table, name: str):
    async def work(connection: AsyncConnection) -> str:
        await connection.execute(counters.insert().values(name=name, value=0))
        return name

    return work


async def test_each_caller_gets_its_own_result(store: Store, counters: Table) -> None:
    wanted = [f"n{i}" for i in range(600)]
    assert await asyncio.gather(*(store.together(adding(counters, name)) for name in wanted)) == wanted
    assert await names(store, counters) == set(wanted)


async def test_one_failure_is_its_callers_alone(store: Store, counters: Table) -> None:
    await store.together(adding(counters, "taken"))
    wanted = ["a", "taken", "b", "c"]
    results = await asyncio.gather(*(store.together(adding(counters, n)) for n in wanted), return_exceptions=True)
    assert [results[0], *results[2:]] == ["a", "b", "c"]
    assert isinstance(results[1], IntegrityError)
    assert await names(store, counters) == {"taken", "a", "b", "c"}


async def test_a_programming_error_is_its_callers_alone(store: Store, counters: Table) -> None:
    async def broken(connection: AsyncConnection) -> None:
        await adding(counters, "half")(connection)
        raise ZeroDivisionError

    good, bad = await asyncio.gather(
        store.together(adding(counters, "a")), store.together(broken), return_exceptions=True
    )
    assert (good, type(bad)) == ("a", ZeroDivisionError)
    assert await names(store, counters) == {"a"}


async def test_a_caller_that_gives_up_undoes_nobodys_work(store: Store, counters: Table) -> None:
    started = asyncio.Event()

    async def slow(connection: AsyncConnection) -> None:
        started.set()
        await adding(counters, "slow")(connection)

    leaver = asyncio.create_task(store.together(slow))
    stayer = asyncio.create_task(store.together(adding(counters, "stays")))
    await started.wait()
    leaver.cancel()
    assert await stayer == "stays"
    with pytest.raises(asyncio.CancelledError):
        await leaver
    assert await names(store, counters) == {"slow", "stays"}


async def test_closing_waits_for_what_was_handed_over(store: Store, counters: Table, store_url: str) -> None:
    pending = [asyncio.create_task(store.together(adding(counters, f"n{i}"))) for i in range(10)]
    await asyncio.sleep(0)
    await store.close()
    assert [await task for task in pending] == [f"n{i}" for i in range(10)]
