"""What reads and writes promise, whatever the database."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import Table, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import Unavailable
from shared.store.engine import Store, open_store


async def value_of(store: Store, counters: Table, name: str) -> int | None:
    async with store.read() as connection:
        return (await connection.execute(select(counters.c.value).where(counters.c.name == name))).scalar()


async def put(connection: AsyncConnection, counters: Table, name: str, value: int) -> None:
    await connection.execute(counters.insert().values(name=name, value=value))


async def increment(connection: AsyncConnection, counters: Table) -> None:
    """Reads, then writes: the pattern that loses updates where writers do not wait for one another."""
    query = select(counters.c.value).where(counters.c.name == "n").with_for_update()
    value = (await connection.execute(query)).scalar_one()
    await asyncio.sleep(0)
    await connection.execute(counters.update().where(counters.c.name == "n").values(value=value + 1))


async def test_no_concurrent_increment_is_lost_among_processes(
    store: Store, open_another: Callable[[str], Store], counters: Table
) -> None:
    async with store.write() as connection:
        await put(connection, counters, "n", 0)
    stores = [open_another("example") for _ in range(3)]

    async def one(store: Store) -> None:
        async with store.write() as connection:
            await increment(connection, counters)

    await asyncio.gather(*(one(store) for _ in range(20) for store in stores))
    assert await value_of(store, counters, "n") == 60


async def test_no_increment_is_lost_in_shared_commits(store: Store, counters: Table) -> None:
    async with store.write() as connection:
        await put(connection, counters, "n", 0)
    await asyncio.gather(*(store.together(lambda c: increment(c, counters)) for _ in range(100)))
    assert await value_of(store, counters, "n") == 100


async def test_a_failed_block_leaves_nothing(store: Store, counters: Table) -> None:
    with pytest.raises(ZeroDivisionError):
        async with store.write() as connection:
            await put(connection, counters, "a", 1)
            raise ZeroDivisionError
    assert await value_of(store, counters, "a") is None


async def test_a_read_sees_one_state_throughout(store: Store, counters: Table) -> None:
    async with store.write() as connection:
        await put(connection, counters, "a", 1)
    query = select(counters.c.value).where(counters.c.name == "a")
    async with store.read() as connection:
        assert (await connection.execute(query)).scalar_one() == 1
        async with store.write() as other:
            await other.execute(counters.update().values(value=2))
        assert (await connection.execute(query)).scalar_one() == 1
    assert await value_of(store, counters, "a") == 2


async def test_a_read_cannot_write(store: Store, counters: Table) -> None:
    with pytest.raises(DBAPIError):
        async with store.read() as connection:
            await put(connection, counters, "a", 1)
    assert await value_of(store, counters, "a") is None


async def test_a_database_that_is_away_says_so(unused_tcp_port: int) -> None:
    pytest.importorskip("asyncpg")
    store = open_store(f"postgresql://nobody@127.0.0.1:{unused_tcp_port}/none", "example")
    with pytest.raises(Unavailable, match="does not answer"):
        async with store.read():
            pass
    await store.close()
