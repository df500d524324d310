"""A lease: one holder at a time among all replicas of a service, until it lets go or falls silent."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Column, MetaData, String, Table, or_
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.store.columns import Utc, upsert
from shared.store.engine import Store


def lease_table(metadata: MetaData) -> Table:
    """Each service keeps its own leases."""
    return Table(
        "leases",
        metadata,
        Column("name", String(60), primary_key=True),
        Column("holder", String(60), nullable=False),
        Column("until", Utc, nullable=False),
    )


@dataclass(frozen=True)
class Lease:
    """`holder` is unique to a process run. Other processes' clocks may differ by less than `lasts`."""

    store: Store
    table: Table
    name: str
    holder: str
    lasts: timedelta = timedelta(seconds=10)

    async def take(self) -> bool:
        """Takes or renews the lease; false while somebody else holds it."""
        return await self.store.together(self._take)

    async def release(self) -> None:
        """Lets the next holder in at once."""
        table = self.table
        async with self.store.write() as connection:
            await connection.execute(table.delete().where(table.c.name == self.name, table.c.holder == self.holder))

    async def _take(self, connection: AsyncConnection) -> bool:
        table, now = self.table, datetime.now(UTC)
        mine = {"holder": self.holder, "until": now + self.lasts}
        statement = (
            upsert(connection, table)
            .values(name=self.name, **mine)
            .on_conflict_do_update(
                index_elements=["name"],
                set_=mine,
                where=or_(table.c.holder == self.holder, table.c.until < now),
            )
            .returning(table.c.holder)
        )
        return (await connection.execute(statement)).first() is not None
