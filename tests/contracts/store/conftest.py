"""The same suite over both databases."""

from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, text

from shared.outbox import outbox_table
from shared.store.engine import Store, open_store
from shared.store.leases import lease_table

_METADATA = MetaData()
COUNTERS = Table(
    "counters", _METADATA, Column("name", String(40), primary_key=True), Column("value", Integer, nullable=False)
)
LEASES = lease_table(_METADATA)
OUTBOX = outbox_table(_METADATA)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def store_url(request: pytest.FixtureRequest, tmp_path: object) -> str:
    """A fresh database."""
    if request.param == "sqlite":
        return f"sqlite://{tmp_path}/store"
    url: str = request.getfixturevalue("postgres_database")
    return url


@pytest.fixture
async def open_another(store_url: str) -> AsyncIterator[Callable[[str], Store]]:
    """Opens a service's store as another process would; closed after the test."""
    opened: list[Store] = []

    def another(service: str) -> Store:
        opened.append(open_store(store_url, service))
        return opened[-1]

    yield another
    for store in opened:
        await store.close()


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """A store with the tables above."""
    store = open_store(store_url, "example")
    async with store.write() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(text("CREATE SCHEMA example"))
        await connection.run_sync(_METADATA.create_all)
    yield store
    await store.close()


@pytest.fixture
def counters() -> Table:
    """(name, value)"""
    return COUNTERS


@pytest.fixture
def leases() -> Table:
    """Of the example service."""
    return LEASES


@pytest.fixture
def outbox_rows() -> Table:
    """Of the example service."""
    return OUTBOX
