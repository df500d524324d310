"""Brings a service's tables up to date; safe when several processes start at once, and quick when nothing is to do."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import ConfigurationError
from shared.store.engine import Store

MIGRATIONS = Path(__file__).parent / "migrations"


async def migrate(store: Store, service: str) -> bool:
    """Whether there was something to do. Raises `ConfigurationError` when the tables are newer than the program."""
    newest = head(service)
    async with store.read() as connection:
        if await connection.run_sync(_revision) == newest:
            return False
    async with store.write() as connection:
        # On SQLite the transaction itself keeps others out: BEGIN IMMEDIATE.
        if connection.dialect.name == "postgresql":
            await _enter_schema(connection, service)
        held = await connection.run_sync(_revision)
        if held is not None and held > newest:
            raise ConfigurationError(
                f"the tables of {service} are at {held}, this program knows {newest}: use the newer program"
            )
        if held != newest:
            await connection.run_sync(_upgrade, service)
    return held != newest


def head(service: str) -> str:
    """The newest revision: the number of the last file in the service's folder."""
    return max(file.stem.partition("_")[0][1:] for file in (MIGRATIONS / service).glob("m[0-9]*.py"))


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


async def _enter_schema(connection: AsyncConnection, service: str) -> None:
    """One process at a time until the transaction ends; makes the schema where there is none."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"clearframe:{service}"})
    exists = text("SELECT 1 FROM pg_namespace WHERE nspname = :name")
    if (await connection.execute(exists, {"name": service})).first() is None:
        await connection.execute(text(f'CREATE SCHEMA "{service}"'))


def _upgrade(connection: Connection, service: str) -> None:
    # Alembic costs a quarter of a second to import: only when it is needed.
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", _escaped(MIGRATIONS))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", _escaped(MIGRATIONS / service))
    command.upgrade(config, "head")


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")
