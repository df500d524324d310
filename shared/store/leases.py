"""A lease: one holder at a time among all replicas of a service, until it lets go or falls silent."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Column, ColumnElement, MetaData, String, Table, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.store.columns import Utc, upsert
from shared.store.engine import Store
from shared.store.processes import is_gone, this_process


def lease_table(metadata: MetaData) -> Table:
    """Each service keeps its own leases."""
    return Table(
        "leases",
        metadata,
        Column("name", String(60), primary_key=True),
        Column("holder", String(120), nullable=False),
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
        """Takes or renews the lease; false while somebody else holds it. A killed process holds nothing."""
        return await self.store.together(self._take)

    async def release(self) -> None:
        """Lets the next holder in at once."""
        table = self.table
        async with self.store.write() as connection:
            await connection.execute(table.delete().where(table.c.name == self.name, table.c.holder == self._mark))

    @property
    def _mark(self) -> str:
        return f"{this_process()}/{self.holder}"

    async def _take(self, connection: AsyncConnection) -> bool:
        if await self._take_if_free(connection, []):
            return True
        table = self.table
        other = (await connection.execute(select(table.c.holder).where(table.c.name == self.name))).scalar()
        gone = other is not None and is_gone(other.partition("/")[0])
        return gone and await self._take_if_free(connection, [table.c.holder == other])

    async def _take_if_free(self, connection: AsyncConnection, or_if: list[ColumnElement[bool]]) -> bool:
        table, now = self.table, datetime.now(UTC)
        mine = {"holder": self._mark, "until": now + self.lasts}
        # A lease that runs for longer than any was given comes from before the clock was set back.
        free = or_(table.c.holder == self._mark, table.c.until < now, table.c.until > now + 2 * self.lasts, *or_if)
        statement = (
            upsert(connection, table)
            .values(name=self.name, **mine)
            .on_conflict_do_update(index_elements=["name"], set_=mine, where=free)
            .returning(table.c.holder)
        )
        return (await connection.execute(statement)).first() is not None
