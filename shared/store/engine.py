"""One service's database: SQLite or PostgreSQL, the same code above this line."""

import errno
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.errors import ClearframeError, ConfigurationError, OutOfSpace, Retry, Unavailable
from shared.store.group_commit import GroupCommit

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]


class Store:
    """Reads and writes of one service. Raises `Retry`, `Unavailable`, `OutOfSpace` where the database cannot go on."""

    def __init__(self, reader: AsyncEngine, writer: AsyncEngine) -> None:
        self._reader = reader
        self._writer = writer
        self._group = GroupCommit(self.write)

    @property
    def engine(self) -> AsyncEngine:
        """For migrations."""
        return self._writer

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A consistent view that cannot write."""
        with _translated():
            async with self._reader.begin() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction of its own, committed when the block ends well. On SQLite writers queue here."""
        with _translated():
            async with self._writer.begin() as connection:
                yield connection

    async def together(self, work: "Work[T]") -> T:
        """Runs `work` in a transaction shared with whatever else arrives meanwhile; returns once it is durable."""
        return await self._group.run(work)

    async def ping(self) -> None:
        """Raises `Unavailable` when the database does not answer."""
        async with self.read() as connection:
            await connection.exec_driver_sql("SELECT 1")

    async def close(self) -> None:
        """Waits for commits under way, then lets the connections go."""
        await self._group.close()
        await self._reader.dispose()
        if self._writer is not self._reader:
            await self._writer.dispose()


def open_store(url: str, service: str) -> Store:
    """`sqlite:///folder` keeps one file a service, `postgresql://…` one schema. Raises `ConfigurationError`."""
    scheme = url.partition("://")[0]
    if scheme == "sqlite":
        return _sqlite(_folder(url), service)
    if scheme in {"postgresql", "postgres"}:
        return _postgresql(url, service)
    raise ConfigurationError(
        f"CLEARFRAME_STORE: {scheme!r} is no store; use sqlite:///folder or postgresql://host/name"
    )


def _folder(url: str) -> Path:
    path = url.removeprefix("sqlite://")
    if not path.startswith("/"):
        raise ConfigurationError(f"CLEARFRAME_STORE: {path!r} is not absolute; write it like sqlite:///folder")
    return Path("/" + path.lstrip("/"))  # SQLAlchemy's own four slashes mean the same


def _sqlite(folder: Path, service: str) -> Store:
    folder.mkdir(parents=True, exist_ok=True)
    url = f"sqlite+aiosqlite:///{folder / f'{service}.sqlite'}"
    writer = create_async_engine(url, pool_size=1, max_overflow=0, connect_args={"isolation_level": None})
    reader = create_async_engine(url, pool_size=4, max_overflow=4, connect_args={"isolation_level": None})
    # Deferred transactions lost 135 of 160 concurrent updates without an error: a writer takes its lock at once.
    _prepare(
        writer, "BEGIN IMMEDIATE", ["PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON"]
    )
    _prepare(reader, "BEGIN", ["PRAGMA query_only=ON"])
    return Store(reader, writer)


def _prepare(engine: AsyncEngine, begin: str, pragmas: list[str]) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in ["PRAGMA busy_timeout=5000", *pragmas]:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)


def _postgresql(url: str, service: str) -> Store:
    address = make_url(url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(
        address,
        pool_size=8,
        max_overflow=8,
        pool_pre_ping=True,
        connect_args={"server_settings": {"search_path": service, "application_name": f"clearframe-{service}"}},
    )
    return Store(engine, engine)


class _translated:  # noqa: N801 - reads as a verb at the place of use
    """Turns a driver's exception into one of our three meanings; leaves programming errors as they are."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        meaning = _meaning(error) if isinstance(error, DBAPIError | OSError) else None
        if meaning is not None:
            raise meaning from error


def _meaning(error: DBAPIError | OSError) -> ClearframeError | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, OSError) and cause.errno == errno.ENOSPC:
        return OutOfSpace("the database's disk is full")
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        return _sqlite_meaning(code, str(cause))
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    if state in {"40001", "40P01", "55P03"}:
        return Retry(str(cause))
    if state == "53100":
        return OutOfSpace("the database's disk is full")
    if (
        isinstance(cause, OSError)
        or (state or "")[:2] in {"08", "57"}
        or getattr(error, "connection_invalidated", False)
    ):
        return Unavailable(f"the database does not answer: {cause}")
    return None


def _sqlite_meaning(code: int, text: str) -> ClearframeError | None:
    primary = code & 0xFF
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return Retry(text)
    if primary == sqlite3.SQLITE_FULL:
        return OutOfSpace("the database's disk is full")
    if primary in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}:
        return Unavailable(f"the database cannot be read: {text}")
    return None
