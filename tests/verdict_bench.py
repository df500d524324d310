"""The core of the verdict service over a fresh store, without bus and HTTP; its clock moves when told to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Table, select

from services.verdict import ledger, tables
from services.verdict.changes import Settled
from services.verdict.ledger import Search
from services.verdict.record import verdict_of
from services.verdict.rulebooks import Rulebooks
from services.verdict.settle import Settling
from services.verdict.state import Occasion
from shared.events import AssetScreened
from shared.outbox import Outbox
from shared.rulebook.loader import shipped_rulebook
from shared.rulebook.tools import Tools
from shared.store.engine import Store, open_store
from shared.store.migrate import migrate
from shared.verdicts import Verdict
from tests.screenings import START


@dataclass
class Bench:
    """Settles, and shows what is there afterwards."""

    store: Store
    rulebooks: Rulebooks
    now: datetime = START
    tools: Tools = field(default_factory=Tools)
    numbers: "count[int]" = field(default_factory=count)

    @property
    def settling(self) -> Settling:
        """Over this store, with ids and salts that count up."""
        return Settling(
            rulebooks=self.rulebooks,
            tools=self.tools,
            outbox=Outbox(tables.outbox, "test"),
            due_after=timedelta(hours=24),
            clock=self.clock,
            new_id=lambda: f"id-{next(self.numbers):05}",
            new_salt=lambda: f"salt-{next(self.numbers):05}",
        )

    def clock(self) -> datetime:
        """The time it is told."""
        return self.now

    def later(self, **by: float) -> datetime:
        """Moves the clock."""
        self.now += timedelta(**by)
        return self.now

    async def settle(self, *screenings: AssetScreened) -> list[Settled]:
        """Brings them to a verdict in one transaction."""
        return await self.occasions(*(Occasion(one.asset_id, one.cause, one.cause_id, one) for one in screenings))

    async def occasions(self, *occasions: Occasion) -> list[Settled]:
        """The same for any reason to decide."""
        async with self.store.write() as connection:
            return await self.settling.settle(connection, occasions)

    async def verdicts(self) -> list[Verdict]:
        """All, in order."""
        async with self.store.read() as connection:
            return [verdict_of(entry) for entry in await ledger.following(connection, Search(), after=0, limit=10_000)]

    async def rows(self, table: Table) -> list[Any]:
        """All rows of a table, by its key."""
        async with self.store.read() as connection:
            return list(await connection.execute(select(table).order_by(*table.primary_key.columns)))

    async def events(self) -> list[str]:
        """The types of the events in the outbox, in order, in short."""
        types = [row.headers["ce_type"] for row in await self.rows(tables.outbox)]
        return [name.removeprefix("clearframe.").removesuffix(".v1") for name in types]


@asynccontextmanager
async def open_bench(store_url: str) -> AsyncIterator[Bench]:
    """With the shipped rulebook in force."""
    store = open_store(store_url, "verdict")
    try:
        await migrate(store, "verdict")
        rulebooks = Rulebooks()
        async with store.write() as connection:
            await rulebooks.install(connection, shipped_rulebook(), START)
        yield Bench(store, rulebooks)
    finally:
        await store.close()
