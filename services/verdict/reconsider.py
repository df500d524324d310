"""Decides again what a document touches: when it is added, confirmed or revoked, and when its time begins or ends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict import cases, registry
from services.verdict.announce import Announcing
from services.verdict.changes import Settled
from services.verdict.ledger import lock_head, names_rule
from services.verdict.settle import Settling
from services.verdict.state import Occasion
from services.verdict.tables import assets, leaning, reconsiderations
from shared import metrics
from shared.rulebook.documents import Document
from shared.store.engine import Store

_PAGE = 100


@dataclass(frozen=True)
class Reconsidering:
    """The timer of the verdict service: a page of assets a transaction, until nothing is left."""

    store: Store
    settling: Settling
    clock: Callable[[], datetime]
    announcing: Announcing

    async def step(self) -> bool:
        """Acts on dates that passed, then decides one page again; false when nothing is left to do."""
        now = self.clock()
        async with self.store.read() as connection:
            pending = await registry.is_due(connection, now)
            metrics.ESCALATIONS_OPEN.set(await cases.open_count(connection))
            task = (await connection.execute(select(reconsiderations).order_by(reconsiderations.c.id).limit(1))).first()
        if not pending and task is None:
            return False
        async with self.store.write() as connection:
            await lock_head(connection)
            if pending:
                await registry.turn_of_time(connection, now)
            settled = [] if task is None else await self._page(connection, task)
        self.announcing.announce(settled, now)
        return True

    async def _page(self, connection: AsyncConnection, task: Row[Any]) -> list[Settled]:
        found = await registry.find(connection, task.document_id)
        page = [] if found is None else await _touched(connection, found.document, task.cause, task.cursor)
        occasions = [Occasion(asset_id, task.cause, task.cause_id) for asset_id in page]
        settled = await self.settling.settle(connection, occasions)
        row = reconsiderations.c.id == task.id
        if len(page) < _PAGE:
            await connection.execute(reconsiderations.delete().where(row))
        else:
            await connection.execute(reconsiderations.update().where(row).values(cursor=page[-1]))
        return settled


async def _touched(connection: AsyncConnection, document: Document, cause: str, after: str) -> Sequence[str]:
    """The next page of assets whose verdict leans on the document, or could."""
    if cause in ("document_revoked", "document_expired"):
        c = leaning.c
        wanted = select(c.asset_id).where(c.document_id == document.id, c.asset_id > after)
    else:
        c = assets.c
        names = or_(*(names_rule(c.rules, rule) for rule in document.rules))
        wanted = select(c.asset_id).where(c.production == document.scope.production, names, c.asset_id > after)
        if document.scope.assets:
            wanted = wanted.where(c.asset_id.in_(document.scope.assets))
    rows = await connection.execute(wanted.order_by(c.asset_id).limit(_PAGE))
    return [row.asset_id for row in rows]
