"""The life of a rulebook: read from texts, put on record, put in force, taken back. Each act is recorded."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict import activations, rulebooks, shadows
from services.verdict.activations import Act
from services.verdict.ledger import lock_head
from services.verdict.rulebooks import Rulebooks
from services.verdict.tables import rulebooks as table
from shared.rulebook.faults import InvalidRulebook, RulebookFault
from shared.rulebook.loader import parse_rulebook
from shared.rulebook.model import Rulebook
from shared.store.engine import Store
from shared.web.faults import FieldFault
from shared.web.problems import Problem, not_found


@dataclass(frozen=True)
class RulebookLife:
    """Changes which rulebook decides. What was decided before stays as it is, with the rulebook it names."""

    store: Store
    rulebooks: Rulebooks

    async def read(self, sources: Mapping[str, str]) -> Rulebook:
        """The rulebook in these texts, on nobody's record. Raises Problem 422 with every fault."""
        try:
            return await asyncio.to_thread(_parsed, tuple(sorted(sources.items())))
        except InvalidRulebook as error:
            raise Problem(422, "invalid_rulebook", errors=[_fault(fault) for fault in error.faults]) from error

    async def record(self, sources: Mapping[str, str], now: datetime) -> Rulebook:
        """Puts it on record; the same again does nothing. Raises Problem 409 when its version has other words."""
        rulebook = await self.read(sources)
        version = rulebook.version
        async with self.store.write() as connection:
            await rulebooks.record(connection, rulebook, now)
            held = await digest_of(connection, version.id, version.version)
        if held != version.sha256:
            detail = f"{version.id} {version.version} is on record with other words; raise the `version`"
            raise Problem(409, "version_taken", detail)
        return rulebook

    async def activate(self, rulebook_id: str, version: str, act: Act) -> None:
        """From the next batch on it decides. Raises Problem 404."""
        async with self.store.write() as connection:
            await lock_head(connection)
            sha256 = await digest_of(connection, rulebook_id, version)
            if sha256 is None:
                raise not_found("rulebook")
            await self.rulebooks.pinned(connection, sha256)
            await activations.put_in_force(connection, sha256, act)

    async def rollback(self, act: Act) -> None:
        """Back to the one that decided before. Raises Problem 409 when there was none."""
        async with self.store.write() as connection:
            await lock_head(connection)
            previous = await activations.before_active(connection)
            if previous is None:
                raise Problem(409, "nothing_before", "the rulebook in force is the first; activate another one")
            await self.rulebooks.pinned(connection, previous)
            await activations.put_in_force(connection, previous, act)

    async def shadow(self, rulebook_id: str, version: str, act: Act) -> None:
        """It decides beside the one in force. Raises Problem 404, and 409 when too many do."""
        async with self.store.write() as connection:
            await lock_head(connection)
            sha256 = await digest_of(connection, rulebook_id, version)
            if sha256 is None:
                raise not_found("rulebook")
            await self.rulebooks.pinned(connection, sha256)
            if not await shadows.start(connection, sha256, person=act.person, reason=act.reason, now=act.at):
                raise Problem(409, "too_many_shadows", f"{shadows.MOST} run in shadow already; end one first")

    async def end_shadow(self, rulebook_id: str, version: str) -> None:
        """What it said stays on record. Raises Problem 404."""
        async with self.store.write() as connection:
            sha256 = await digest_of(connection, rulebook_id, version)
            if sha256 is None:
                raise not_found("rulebook")
            await shadows.stop(connection, sha256)


async def digest_of(connection: AsyncConnection, rulebook_id: str, version: str) -> str | None:
    """The digest of a version on record."""
    wanted = select(table.c.sha256).where(table.c.id == rulebook_id, table.c.version == version)
    found: str | None = (await connection.execute(wanted)).scalar_one_or_none()
    return found


@lru_cache(maxsize=4)
def _parsed(sources: tuple[tuple[str, str], ...]) -> Rulebook:
    """Compiled once for the many pages of a backtest."""
    return parse_rulebook(dict(sources))


def _fault(fault: RulebookFault) -> FieldFault:
    return FieldFault(field=fault.where, message=fault.message, remedy=fault.remedy)
