"""The rulebooks on record: which one decides now, and the pinned ones that past verdicts rest on."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict import activations
from services.verdict.tables import rulebooks
from shared.errors import ConfigurationError, Unavailable
from shared.rulebook.loader import parse_rulebook
from shared.rulebook.model import Rulebook
from shared.store.columns import upsert
from shared.verdicts import RulebookVersion


@dataclass
class Rulebooks:
    """Compiled rulebooks by digest. The texts are in the database, so that every replica decides alike."""

    _compiled: dict[str, Rulebook] = field(default_factory=dict)

    async def install(self, connection: AsyncConnection, rulebook: Rulebook, now: datetime) -> None:
        """Records a rulebook; a version seen for the first time decides from now on.

        Raises ConfigurationError when the version is on record with other words: verdicts pin versions.
        """
        version = rulebook.version
        c = rulebooks.c
        known = (
            await connection.execute(select(c.sha256).where(c.id == version.id, c.version == version.version))
        ).one_or_none()
        if known is not None and known.sha256 != version.sha256:
            raise ConfigurationError(
                f"rulebook {version.id} {version.version} was changed; raise the `version` in its file"
            )
        self._compiled[version.sha256] = rulebook
        if known is None:
            await record(connection, rulebook, now)
            await activations.put_in_force(connection, version.sha256, activations.installed(now))

    async def active(self, connection: AsyncConnection) -> Rulebook:
        """The one that decides now."""
        sha256 = (await connection.execute(select(rulebooks.c.sha256).where(rulebooks.c.active))).scalar_one_or_none()
        if sha256 is None:
            raise Unavailable("no rulebook is active")
        return await self.pinned(connection, sha256)

    async def pinned(self, connection: AsyncConnection, sha256: str) -> Rulebook:
        """The one with this digest. Raises Unavailable when it is not on record."""
        if sha256 not in self._compiled:
            sources = (
                await connection.execute(select(rulebooks.c.sources).where(rulebooks.c.sha256 == sha256))
            ).scalar_one_or_none()
            if sources is None:
                raise Unavailable(f"no rulebook on record has the digest {sha256}")
            compiled = await asyncio.to_thread(parse_rulebook, dict(sorted(sources.items())))
            self._compiled[compiled.version.sha256] = compiled
        return self._compiled[sha256]


async def record(connection: AsyncConnection, rulebook: Rulebook, now: datetime) -> None:
    """Puts a version on record without letting it decide; again does nothing."""
    row = {"title": rulebook.title, "sources": dict(rulebook.sources), "loaded_at": now, "active": False}
    await connection.execute(
        upsert(connection, rulebooks).values(**rulebook.version.model_dump(), **row).on_conflict_do_nothing()
    )


@dataclass(frozen=True)
class OnRecord:
    """One version, as listed."""

    version: RulebookVersion
    title: str
    loaded_at: datetime
    active: bool


async def on_record(connection: AsyncConnection) -> Sequence[OnRecord]:
    """All versions, the newest first."""
    wanted = select(rulebooks).order_by(rulebooks.c.loaded_at.desc(), rulebooks.c.version.desc())
    return [_listed(row) for row in await connection.execute(wanted)]


async def sources_of(
    connection: AsyncConnection, rulebook_id: str, version: str
) -> tuple[OnRecord, dict[str, str]] | None:
    """One version with its texts, by file name."""
    c = rulebooks.c
    wanted = select(rulebooks).where(c.id == rulebook_id, c.version == version)
    row = (await connection.execute(wanted)).one_or_none()
    return None if row is None else (_listed(row), dict(row.sources))


def _listed(row: Row[Any]) -> OnRecord:
    version = RulebookVersion(id=row.id, version=row.version, sha256=row.sha256)
    return OnRecord(version, row.title, row.loaded_at, row.active)
