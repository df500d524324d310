"""Exact search of whole-picture hashes: every match within the radius, no approximation, no cut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from services.screening.matching.hash_table import HashTable, ScanTable

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

    For one thread at a time: the event loop's (10,000 references, 16 variants: about a millisecond) or a worker thread.
    """

    def __init__(self, pdq: HashTable | None = None, phash: HashTable | None = None) -> None:
        """Tables other than the plain ones (`exact.SegmentedTable` for millions) may be given."""
        self._pdq: HashTable = ScanTable(words=4) if pdq is None else pdq
        self._phash: HashTable = ScanTable(words=1) if phash is None else phash

    def add(self, reference_id: str, *, pdq: bytes | None = None, phash: bytes | None = None) -> None:
        """Adds a reference, in place of what was known under its id. 32 bytes of PDQ, 8 of pHash."""
        self.remove(reference_id)
        if pdq is not None:
            self._pdq.add(reference_id, pdq)
        if phash is not None:
            self._phash.add(reference_id, phash)

    def remove(self, reference_id: str) -> None:
        """Forgets a reference; unknown ids are fine."""
        self._pdq.remove(reference_id)
        self._phash.remove(reference_id)

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

    def pdq_distances(self, variants: Sequence[tuple[str, bytes]], reference_ids: Iterable[str]) -> dict[str, int]:
        """The least PDQ distance to each of the references that have a hash, however far: to corroborate a hit."""
        values = {name: value for name in reference_ids if (value := self._pdq.value_of(name)) is not None}
        return {
            name: min(_differing(value, variant) for _, variant in variants)
            for name, value in values.items()
            if variants
        }

    def search_phash(self, value: bytes, *, radius: int) -> list[Hit]:
        """Every reference within `radius` bits of 8 bytes of pHash."""
        return [Hit(reference_id, "phash", distance) for reference_id, distance in self._phash.within(value, radius)]


def _differing(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()
