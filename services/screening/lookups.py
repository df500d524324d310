"""Lookups: what does this picture, or this hash, match? Nothing is stored."""

import hashlib
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from services.screening.findings import SHIPPED_SCORE
from services.screening.live_index import TOPIC, LiveIndex
from services.screening.look import pipeline, wanted
from services.screening.pool import DecodePool
from services.screening.seen import Seen, SeenPicture, SeenView, features_of, seen_from
from shared.bus.port import Bus
from shared.events import Fingerprints
from shared.findings import Extent, ReferenceMatch, ReferenceRef, Region, Unscreenable
from shared.frozen import Frozen


class CoarseMatch(Frozen):
    """What a key without `review` sees of a match: that it is one, of what and where; nothing to probe with."""

    kind: str = "reference_match"
    reference: ReferenceRef
    extent: Extent
    purpose: str
    upload_region: Region
    view: str


class AskedFingerprints(Fingerprints):
    """The hashes of a picture, or the one that was asked for."""

    sha256: str | None  # type: ignore[assignment]  # a lookup by PDQ has no content


class Lookup(Frozen):
    """The fingerprints of what was asked, and every reference it matches, the surest first."""

    fingerprints: AskedFingerprints
    matches: tuple[ReferenceMatch | CoarseMatch, ...]
    unscreenable: Unscreenable | None = None

    def coarse(self) -> "Lookup":
        """The same for a key without `review`."""
        return self.model_copy(update={"matches": tuple(_coarse(match) for match in self.matches)})


class Lookups:
    """The same decoding and the same search as an upload's."""

    def __init__(self, bus: Bus, index: LiveIndex, pool: DecodePool, *, partial: bool = True) -> None:
        self._bus = bus
        self._wants = wanted("query" if partial else None)
        self._pipeline = pipeline("query" if partial else None)
        self._index = index
        self._pool = pool

    async def by_picture(self, chunks: AsyncIterator[bytes], least_score: float = SHIPPED_SCORE) -> Lookup:
        """The whole file, decoded from a temporary copy that is gone afterwards."""
        digest = hashlib.sha256()
        with tempfile.NamedTemporaryFile(prefix="clearframe-lookup-") as copy:
            async for chunk in chunks:
                digest.update(chunk)
                copy.write(chunk)
            copy.flush()
            found = await self._pool.run(Path(copy.name), self._wants)
        seen = Seen(seen_from(digest.hexdigest(), found), features_of(found))
        return await self._answer(seen, least_score)

    async def by_hash(
        self, *, sha256: str | None, pdq: str | None, phash: str | None, least_score: float = SHIPPED_SCORE
    ) -> Lookup:
        """By one hash. A PDQ hash is looked up as it stands: a picture would be tried in all orientations."""
        views = () if pdq is None and phash is None else (_view(pdq, phash),)
        return await self._answer(Seen(SeenPicture(sha256=sha256 or "", views=views)), least_score)

    async def _answer(self, seen: Seen, least_score: float) -> Lookup:
        await self._index.reach(await self._bus.end_offset(TOPIC))
        matches = await self._index.search(seen, datetime.now(UTC), least_score=least_score)
        picture = seen.picture
        prints = picture.fingerprints(self._pipeline).model_dump() | {"sha256": picture.sha256 or None}
        asked = AskedFingerprints.model_validate(prints)
        return Lookup(fingerprints=asked, matches=matches, unscreenable=picture.unscreenable)


def _coarse(match: ReferenceMatch | CoarseMatch) -> CoarseMatch:
    return CoarseMatch.model_validate(match.model_dump())


def _view(pdq: str | None, phash: str | None) -> SeenView:
    return SeenView(name="hash", pdq={"identity": pdq} if pdq else {}, pdq_quality=100, phash=phash)
