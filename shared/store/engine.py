"""One service's database: SQLite or PostgreSQL, the same code above this line."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.errors import ConfigurationError
from shared.store.failures import translated
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
        with translated():
            async with self._reader.begin() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction of its own, committed when the block ends well. On SQLite writers queue here.

        On PostgreSQL they do not: read `with_for_update()` what you are about to change.
        """
        with translated():
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
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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
    settings = {"search_path": service, "application_name": f"clearframe-{service}"}
    try:
        engine = create_async_engine(
            _address(url),
            pool_size=8,
            max_overflow=8,
            pool_pre_ping=True,
            connect_args={"server_settings": settings, "timeout": 10},
        )
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"CLEARFRAME_STORE: {error.name} is not installed; install clearframe[postgres]"
        ) from error
    # What SQLite gives by itself: several reads of one block see the same state.
    return Store(engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True), engine)


def _address(url: str) -> URL:
    """libpq's `sslmode` under the name that asyncpg knows."""
    address = make_url(url).set(drivername="postgresql+asyncpg")
    mode = address.query.get("sslmode")
    return address.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode}) if mode else address
