"""What a driver's exception means to a consumer and to a request."""

import errno
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.errors import OutOfSpace, Retry, Unavailable
from shared.store.engine import Store, open_store
from shared.store.failures import meaning, translated


def from_sqlite(code: int) -> DBAPIError:
    cause = sqlite3.OperationalError("said SQLite")
    cause.sqlite_errorcode = code
    return DBAPIError("SELECT 1", None, cause)


def from_postgresql(state: str) -> DBAPIError:
    cause = Exception("said PostgreSQL")
    cause.sqlstate = state  # type: ignore[attr-defined]  # as asyncpg's errors have it
    return DBAPIError("SELECT 1", None, cause)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (from_sqlite(sqlite3.SQLITE_BUSY), Retry),
        (from_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), Retry),
        (from_sqlite(sqlite3.SQLITE_FULL), OutOfSpace),
        (from_sqlite(sqlite3.SQLITE_IOERR_WRITE), Unavailable),
        (from_sqlite(sqlite3.SQLITE_CANTOPEN), Unavailable),
        (from_postgresql("40001"), Retry),
        (from_postgresql("40P01"), Retry),
        (from_postgresql("53100"), OutOfSpace),
        (from_postgresql("53300"), Unavailable),
        (from_postgresql("57P01"), Unavailable),
        (from_postgresql("08006"), Unavailable),
        (PoolTimeout("no connection"), Retry),
        (OSError(errno.ENOSPC, "full"), OutOfSpace),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), Unavailable),
    ],
)
def test_what_passes_by_itself(error: Exception, kind: type[Exception]) -> None:
    assert type(meaning(error)) is kind
    with pytest.raises(kind) as caught, translated():
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [from_sqlite(sqlite3.SQLITE_CONSTRAINT), from_postgresql("42P01"), IntegrityError("x", None, Exception("twice"))],
)
def test_programming_errors_stay_what_they_are(error: Exception) -> None:
    assert meaning(error) is None
    with pytest.raises(type(error)) as caught, translated():
        raise error
    assert caught.value is error


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(f"sqlite://{tmp_path}", "example")
    async with store.write() as connection:
        await connection.exec_driver_sql("CREATE TABLE things (value BLOB)")
    yield store
    await store.close()


async def test_a_full_disk_says_so_and_all_goes_on_once_there_is_room(store: Store) -> None:
    async def count() -> int:
        async with store.read() as connection:
            return int((await connection.exec_driver_sql("SELECT count(*) FROM things")).scalar_one())

    async def pages(most: int) -> None:
        async with store.write() as connection:
            await connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")

    insert = "INSERT INTO things VALUES (zeroblob(1000000))"
    await pages(20)
    with pytest.raises(OutOfSpace):
        async with store.write() as connection:
            await connection.exec_driver_sql(insert)
    with pytest.raises(OutOfSpace):
        await store.together(lambda connection: connection.exec_driver_sql(insert))
    assert await count() == 0
    await pages(100_000)
    await store.together(lambda connection: connection.exec_driver_sql(insert))
    assert await count() == 1
