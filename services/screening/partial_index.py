"""The local features of all live references: loaded when first asked, searched off the event loop."""

import asyncio
from collections.abc import Sequence

import structlog

from services.screening.matching.local import Features, LocalIndex, PartialHit
from shared.blobs.port import Blobs, read_whole
from shared.errors import BlobDamaged, BlobMissing, Retry

_log = structlog.get_logger()


class PartialIndex:
    """Follows what is put and forgotten; the compiled kernels and the features are loaded at the first search."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._index: LocalIndex | None = None
        self._waiting: dict[str, str | None] = {}
        self._missing: set[str] = set()
        self._turn = asyncio.Lock()

    def put(self, reference_id: str, features: str) -> None:
        """From the next search on, this reference is found by the features of this digest."""
        self._waiting[reference_id] = features

    def forget(self, reference_id: str) -> None:
        """From the next search on, this reference is not found."""
        self._waiting[reference_id] = None

    @property
    def missing(self) -> int:
        """References whose features could not be read: screening waits until they are withdrawn or added again."""
        return len(self._missing)

    async def search(self, views: Sequence[tuple[str, bytes]], least_score: float) -> list[tuple[PartialHit, str]]:
        """(hit, view) of every reference that a view holds a part of; `views` are (name, features as bytes)."""
        if not views:
            return []
        async with self._turn:
            index = await self._settled()
            return await asyncio.to_thread(_search, index, views, least_score) if len(index) else []

    async def _settled(self) -> LocalIndex:
        """The index with everything applied that was waiting. Raises `Retry` while features cannot be read: an upload
        must not pass because a work was not searched for.
        """
        if self._index is None:
            self._index = await asyncio.to_thread(LocalIndex)
        waiting = dict(self._waiting)
        loaded = {name: None if digest is None else await self._load(name, digest) for name, digest in waiting.items()}
        if loaded:
            await asyncio.to_thread(_apply, self._index, loaded)
        # Only now: what failed, or was put meanwhile, still waits.
        self._waiting = {name: digest for name, digest in self._waiting.items() if waiting.get(name, "") != digest}
        self._missing.clear()
        return self._index

    async def _load(self, reference_id: str, digest: str) -> Features:
        try:
            return Features.from_bytes(await read_whole(self._blobs, digest))
        except (BlobMissing, BlobDamaged, ValueError) as error:
            self._missing.add(reference_id)
            _log.error("reference_features_unreadable", reference=reference_id, error=str(error))
            raise Retry(
                f"the local features of reference {reference_id} cannot be read; withdraw it or add it again"
            ) from error


def _search(index: LocalIndex, views: Sequence[tuple[str, bytes]], least_score: float) -> list[tuple[PartialHit, str]]:
    return [
        (hit, name)
        for name, features in views
        for hit in index.search(Features.from_bytes(features), least_score=least_score)
    ]


def _apply(index: LocalIndex, loaded: dict[str, Features | None]) -> None:
    for reference_id, features in loaded.items():
        if features is None:
            index.remove(reference_id)
        else:
            index.add(reference_id, features)
