"""The local features of all live references: loaded when first asked, searched off the event loop."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Literal

import structlog

from services.screening.matching.local import Features, LocalIndex, PartialHit
from shared.blobs.port import Blobs, read_whole
from shared.errors import BlobDamaged, BlobMissing, Retry

_AT_ONCE = 32  # features read while others are: beyond one machine each takes a round trip
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
        waiting, missing = dict(self._waiting), set[str]()
        for names in _batched(waiting, _AT_ONCE):
            loaded = await asyncio.gather(*(self._load(name, waiting[name]) for name in names))
            found = {name: features for name, features in zip(names, loaded, strict=True) if features != "unreadable"}
            missing |= set(names) - found.keys()
            await asyncio.to_thread(_apply, self._index, found)
            for name in found:
                if self._waiting.get(name, "") == waiting[name]:  # else put or forgotten meanwhile: it still waits
                    del self._waiting[name]
        self._missing = missing
        if missing:
            raise Retry(f"the local features of reference {min(missing)} cannot be read; withdraw it or add it again")
        return self._index

    async def _load(self, reference_id: str, digest: str | None) -> Features | Literal["unreadable"] | None:
        """None for a reference that is to be forgotten."""
        try:
            return None if digest is None else Features.from_bytes(await read_whole(self._blobs, digest))
        except (BlobMissing, BlobDamaged, ValueError) as error:
            _log.error("reference_features_unreadable", reference=reference_id, error=str(error))
            return "unreadable"


def _batched(names: Iterable[str], size: int) -> Iterator[tuple[str, ...]]:
    left = iter(names)
    while batch := tuple(islice(left, size)):
        yield batch


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
