"""Looks at stored files: fetches the bytes, checks their digest, decodes them in the pool, keeps what was seen."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.screening.fingerprint.kinds import PDQ, PHASH
from services.screening.matching.local.features import VERSION as FEATURES_VERSION
from services.screening.pool import DecodePool
from services.screening.provenance import VERSION as MARKS_VERSION
from services.screening.seen import FEATURES, Seen, SeenPicture, damaged, features_of, seen_from
from services.screening.tables import decoded
from shared.blobs.port import Blobs, read_whole
from shared.errors import BlobDamaged, BlobMissing
from shared.store.columns import upsert
from shared.store.engine import Store

_HASHES = "+".join(f"{kind.name}.{kind.version}.{kind.pipeline}" for kind in (PDQ, PHASH))
_ALWAYS = f"{_HASHES}+{MARKS_VERSION}"

Role = Literal["query", "reference"]
_PASSING = frozenset({"integrity_error", "resource_limit"})  # a later look may see more: not kept


def wanted(features: Role | None) -> frozenset[str]:
    """What to ask of the decode process."""
    return frozenset() if features is None else frozenset({FEATURES, features})


def pipeline(features: Role | None) -> str:
    """Names every kind and version; a stored result of another pipeline is not comparable and is made anew."""
    return _ALWAYS if features is None else f"{_ALWAYS}+local.{FEATURES_VERSION}.{features}"


class Looker:
    """Turns content digests into what was seen, from the record where it is there.

    `features`: which local features are wanted besides the hashes; a protected work's are fewer than an upload's.
    """

    def __init__(self, store: Store, blobs: Blobs, pool: DecodePool, features: Role | None = "query") -> None:
        self._store = store
        self._blobs = blobs
        self._pool = pool
        self._wants = wanted(features)
        self.pipeline = pipeline(features)

    async def recorded(self, digests: Iterable[str]) -> dict[str, Seen]:
        """What earlier looks of this pipeline saw, by digest."""
        async with self._store.read() as connection:
            query = select(decoded.c.content).where(
                decoded.c.sha256.in_(set(digests)), decoded.c.pipeline == self.pipeline
            )
            rows = (await connection.execute(query)).scalars().all()
        found = [await self._remembered(SeenPicture.model_validate(row)) for row in rows]
        return {seen.picture.sha256: seen for seen in found if seen is not None}

    async def at_all(self, digests: Iterable[str]) -> dict[str, Seen]:
        """Decodes each content once, as many at a time as the pool has processes."""
        wanted = sorted(set(digests))
        return dict(zip(wanted, await asyncio.gather(*map(self.at, wanted)), strict=True))

    async def at(self, sha256: str) -> Seen:
        """Decodes one stored content. Never raises for any content."""
        try:
            async with self._blobs.as_file(sha256) as path:
                found = await self._pool.run(path, self._wants)
        except BlobMissing:
            return damaged(sha256, "the stored bytes are missing")
        except BlobDamaged:
            return damaged(sha256, "the stored bytes are not those that were received")
        features = features_of(found)
        return Seen(seen_from(sha256, found, [await self._keep(each) for each in features]), features)

    async def _remembered(self, picture: SeenPicture) -> Seen | None:
        """None where a part of the record is gone: then it is looked at again."""
        digests = [view.features for view in picture.views if view.features is not None]
        try:
            return Seen(picture, tuple([await read_whole(self._blobs, digest) for digest in digests]))
        except (BlobMissing, BlobDamaged):
            return None

    async def _keep(self, features: bytes) -> str:
        async with self._blobs.stage() as staged:
            await staged.write(features)
            return (await staged.keep()).sha256

    async def record(self, connection: AsyncConnection, all_seen: Iterable[Seen], now: datetime) -> None:
        """Keeps what was seen, in the caller's transaction."""
        await _record(connection, [seen.picture for seen in all_seen], self.pipeline, now)


async def _record(connection: AsyncConnection, pictures: Iterable[SeenPicture], pipeline: str, now: datetime) -> None:
    lasting = [seen for seen in pictures if seen.unscreenable is None or seen.unscreenable.reason not in _PASSING]
    rows = [
        {"sha256": seen.sha256, "pipeline": pipeline, "content": seen.model_dump(mode="json"), "at": now}
        for seen in lasting
    ]
    if rows:
        statement = upsert(connection, decoded).values(rows)
        changed = {"content": statement.excluded.content, "at": statement.excluded.at}
        await connection.execute(statement.on_conflict_do_update(index_elements=["sha256", "pipeline"], set_=changed))
