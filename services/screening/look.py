"""Looks at stored files: fetches the bytes, checks their digest, decodes them in the pool, keeps what was seen."""

import asyncio
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.screening.fingerprint.kinds import PDQ, PHASH
from services.screening.pool import DecodePool
from services.screening.seen import SeenPicture, damaged, seen_from
from services.screening.tables import decoded
from shared.blobs.port import Blobs
from shared.errors import BlobDamaged, BlobMissing
from shared.store.columns import upsert
from shared.store.engine import Store

PIPELINE = "+".join(f"{kind.name}.{kind.version}.{kind.pipeline}" for kind in (PDQ, PHASH))
"""Names every kind and version; a stored result of another pipeline is not comparable and is made anew."""

_PASSING = frozenset({"integrity_error", "resource_limit"})  # a later look may see more: not kept


class Looker:
    """Turns content digests into what was seen, from the record where it is there."""

    def __init__(self, store: Store, blobs: Blobs, pool: DecodePool) -> None:
        self._store = store
        self._blobs = blobs
        self._pool = pool

    async def recorded(self, digests: Iterable[str]) -> dict[str, SeenPicture]:
        """What earlier looks of this pipeline saw, by digest."""
        async with self._store.read() as connection:
            query = select(decoded.c.content).where(decoded.c.sha256.in_(set(digests)), decoded.c.pipeline == PIPELINE)
            rows = (await connection.execute(query)).scalars().all()
        found = [SeenPicture.model_validate(row) for row in rows]
        return {seen.sha256: seen for seen in found}

    async def at_all(self, digests: Iterable[str]) -> dict[str, SeenPicture]:
        """Decodes each content once, as many at a time as the pool has processes."""
        wanted = sorted(set(digests))
        return dict(zip(wanted, await asyncio.gather(*map(self.at, wanted)), strict=True))

    async def at(self, sha256: str) -> SeenPicture:
        """Decodes one stored content. Never raises for any content."""
        try:
            async with self._blobs.as_file(sha256) as path:
                return seen_from(sha256, await self._pool.run(path))
        except BlobMissing:
            return damaged(sha256, "the stored bytes are missing")
        except BlobDamaged:
            return damaged(sha256, "the stored bytes are not those that were received")


async def keep(connection: AsyncConnection, pictures: Iterable[SeenPicture], now: datetime) -> None:
    """Records what was seen, in the caller's transaction."""
    lasting = [seen for seen in pictures if seen.unscreenable is None or seen.unscreenable.reason not in _PASSING]
    rows = [
        {"sha256": seen.sha256, "pipeline": PIPELINE, "content": seen.model_dump(mode="json"), "at": now}
        for seen in lasting
    ]
    if rows:
        statement = upsert(connection, decoded).values(rows)
        changed = {"content": statement.excluded.content, "at": statement.excluded.at}
        await connection.execute(statement.on_conflict_do_update(index_elements=["sha256", "pipeline"], set_=changed))
