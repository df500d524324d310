"""What the migrations make is what the tables say, on both databases."""

import asyncio
import importlib
import importlib.util
from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, inspect, text

from shared.errors import ConfigurationError
from shared.store.engine import Store
from shared.store.migrate import MIGRATIONS, head, migrate

Another = Callable[[str], Store]
SERVICES = sorted(folder.name for folder in MIGRATIONS.iterdir() if (folder / "__init__.py").exists())


def metadata_of(service: str) -> MetaData:
    module = "shared.store.directory_tables" if service == "directory" else f"services.{service}.tables"
    metadata: MetaData = importlib.import_module(module).metadata
    return metadata


def differences(connection: Connection, metadata: MetaData) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))


async def tables_of(store: Store) -> list[str]:
    async with store.read() as connection:
        return await connection.run_sync(lambda c: inspect(c).get_table_names())


@pytest.mark.parametrize("service", ["directory", "ingest", "screening", "verdict"])
def test_every_service_with_tables_has_migrations(service: str) -> None:
    module = "shared.store.directory_tables" if service == "directory" else f"services.{service}.tables"
    assert importlib.util.find_spec(module)
    assert service in SERVICES


@pytest.mark.parametrize("service", SERVICES)
async def test_migrations_make_what_the_tables_say(open_another: Another, service: str) -> None:
    store = open_another(service)
    assert await migrate(store, service)
    assert not await migrate(store, service)
    async with store.write() as connection:
        assert await connection.run_sync(differences, metadata_of(service)) == []


async def test_processes_that_start_together_do_no_harm(open_another: Another) -> None:
    stores = [open_another("directory") for _ in range(4)]
    outcomes = await asyncio.gather(*(migrate(store, "directory") for store in stores))
    assert sorted(outcomes) == [False, False, False, True]
    assert await tables_of(stores[0]) == ["alembic_version", "keys", "productions"]


async def test_tables_newer_than_the_program_are_refused(open_another: Another) -> None:
    store = open_another("directory")
    await migrate(store, "directory")
    async with store.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match=f"at 9999, this program knows {head('directory')}"):
        await migrate(store, "directory")
