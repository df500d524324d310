"""Exact search of whole-picture hashes by a plain vectorised scan: every match within the radius, no approximation.

Below about 50,000 references this is as quick as any index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
LEAST_QUALITY = 50
"""PDQ hashes of a lower quality say nothing: they are neither kept nor searched (Meta's convention)."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A reference within the radius: differing bits, and how the upload was turned against it."""

    reference_id: str
    detector: Literal["sha256", "pdq", "phash"]
    distance: int
    transform: str = "identity"


class WholeIndex:
    """References by their hashes, with live adds and removals.

    For one thread at a time: the event loop's (10,000 references, 16 variants: under a millisecond) or a worker thread.
    """

    def __init__(self) -> None:
        self._pdq = _Table(words=4)
        self._phash = _Table(words=1)
        self._by_sha256: dict[bytes, set[str]] = {}
        self._sha256_of: dict[str, bytes] = {}

    def add(
        self,
        reference_id: str,
        *,
        sha256: bytes,
        pdq: bytes | None = None,
        phash: bytes | None = None,
        quality: int = 0,
    ) -> None:
        """Adds a reference, in place of what was known under its id. 32 bytes of PDQ, 8 of pHash."""
        self.remove(reference_id)
        self._by_sha256.setdefault(sha256, set()).add(reference_id)
        self._sha256_of[reference_id] = sha256
        if pdq is not None and quality >= LEAST_QUALITY:
            self._pdq.add(reference_id, pdq)
        if phash is not None and quality >= LEAST_QUALITY:
            self._phash.add(reference_id, phash)

    def remove(self, reference_id: str) -> None:
        """Forgets a reference; unknown ids are fine."""
        sha256 = self._sha256_of.pop(reference_id, None)
        if sha256 is not None:
            self._by_sha256[sha256].discard(reference_id)
            if not self._by_sha256[sha256]:
                del self._by_sha256[sha256]
        self._pdq.remove(reference_id)
        self._phash.remove(reference_id)

    def search_sha256(self, sha256: bytes) -> list[Hit]:
        """References of the very same bytes."""
        return [Hit(reference_id, "sha256", 0) for reference_id in sorted(self._by_sha256.get(sha256, ()))]

    def search_pdq(self, variants: Sequence[tuple[str, bytes]], quality: int, *, radius: int) -> list[Hit]:
        """Every reference within `radius` bits of one of the (transform, 32 bytes), at its nearest transform."""
        if quality < LEAST_QUALITY:
            return []
        hits: dict[str, Hit] = {}
        for transform, value in variants:
            for reference_id, distance in self._pdq.within(value, radius):
                if reference_id not in hits or distance < hits[reference_id].distance:
                    hits[reference_id] = Hit(reference_id, "pdq", distance, transform)
        return list(hits.values())

    def search_phash(self, value: bytes, *, radius: int) -> list[Hit]:
        """Every reference within `radius` bits of 8 bytes of pHash."""
        return [Hit(reference_id, "phash", distance) for reference_id, distance in self._phash.within(value, radius)]

    def __len__(self) -> int:
        return len(self._sha256_of)


class _Table:
    """Hashes word by word, one row of `_words` each, so that a scan runs along memory; the last fills a removed one."""

    def __init__(self, words: int) -> None:
        self._words: Words = np.zeros((words, 64), np.uint64)
        self._ids: list[str] = []
        self._at: dict[str, int] = {}

    def add(self, reference_id: str, value: bytes) -> None:
        if len(self._ids) == self._words.shape[1]:
            self._words = np.concatenate([self._words, np.zeros_like(self._words)], axis=1)
        self._words[:, len(self._ids)] = np.frombuffer(value, np.uint64)
        self._at[reference_id] = len(self._ids)
        self._ids.append(reference_id)

    def remove(self, reference_id: str) -> None:
        at = self._at.pop(reference_id, None)
        if at is None:
            return
        last = self._ids.pop()
        if last != reference_id:
            self._words[:, at] = self._words[:, len(self._ids)]
            self._ids[at] = last
            self._at[last] = at

    def within(self, value: bytes, radius: int) -> list[tuple[str, int]]:
        distances = np.zeros(len(self._ids), np.uint16)
        for word, wanted in zip(self._words, np.frombuffer(value, np.uint64), strict=True):
            distances += np.bitwise_count(word[: len(self._ids)] ^ wanted)
        near = np.flatnonzero(distances <= radius)
        return [(self._ids[at], int(distances[at])) for at in near]
