"""Column types that mean the same on SQLite and PostgreSQL, and the one upsert both speak."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Table, TypeDecorator
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

Json = JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
"""JSON documents; JSONB on PostgreSQL."""


class Utc(TypeDecorator[datetime]):
    """An aware UTC time. SQLite keeps no zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuses naive times: they are an hour's bug waiting."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Gives the zone back."""
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def upsert(connection: AsyncConnection, table: Table) -> Any:
    """`INSERT` with `.on_conflict_do_nothing()` / `.on_conflict_do_update()` in the connection's dialect."""
    return (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table)
