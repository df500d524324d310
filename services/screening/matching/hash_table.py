"""Hashes of one kind by reference: what a table must do, and the plain one that looks at every hash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Distances = Callable[[Words, int, Words], NDArray[np.uint16]]
"""Differing bits between a query and each of the first n hashes, which lie word by word."""


def by_numpy(words: Words, count: int, query: Words) -> NDArray[np.uint16]:
    """`Distances` without a compiler, which takes half a second to load."""
    found = np.zeros(count, np.uint16)
    for word, wanted in zip(words, query, strict=True):
        found += np.bitwise_count(word[:count] ^ wanted)
    return found


class HashTable(Protocol):
    """Live adds and removals, and every reference within a radius. One thread at a time."""

    def add(self, reference_id: str, value: bytes) -> None:
        """Adds a hash, in place of what was known under the id."""

    def remove(self, reference_id: str) -> None:
        """Forgets a reference; unknown ids are fine."""

    def within(self, value: bytes, radius: int) -> list[tuple[str, int]]:
        """(reference, differing bits) of all within the radius, in any order."""

    def value_of(self, reference_id: str) -> bytes | None:
        """A reference's hash, None where it has none."""

    def __len__(self) -> int: ...


class ScanTable:
    """Below about 50,000 references as quick as any index.

    Hashes lie word by word, so that a scan runs along memory; the last one fills the place of a removed one.
    """

    def __init__(self, words: int, distances: Distances = by_numpy) -> None:
        self._distances = distances
        self._words: Words = np.zeros((words, 64), np.uint64)
        self._ids: list[str] = []
        self._at: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, reference_id: str, value: bytes) -> None:
        """Adds a hash, in place of what was known under the id; growth is amortised."""
        self.remove(reference_id)
        if len(self._ids) == self._words.shape[1]:
            self._words = np.concatenate([self._words, np.zeros_like(self._words)], axis=1)
        self._words[:, len(self._ids)] = np.frombuffer(value, np.uint64)
        self._at[reference_id] = len(self._ids)
        self._ids.append(reference_id)

    def remove(self, reference_id: str) -> None:
        """Forgets a reference; unknown ids are fine."""
        at = self._at.pop(reference_id, None)
        if at is None:
            return
        last = self._ids.pop()
        if last != reference_id:
            self._words[:, at] = self._words[:, len(self._ids)]
            self._ids[at] = last
            self._at[last] = at

    def within(self, value: bytes, radius: int) -> list[tuple[str, int]]:
        """(reference, differing bits) of all within the radius."""
        distances = self._distances(self._words, len(self._ids), np.frombuffer(value, np.uint64))
        near = np.flatnonzero(distances <= radius)
        return [(self._ids[at], int(distances[at])) for at in near]

    def value_of(self, reference_id: str) -> bytes | None:
        """A reference's hash, None where it has none."""
        at = self._at.get(reference_id)
        return None if at is None else self._words[:, at].tobytes()

    def contents(self) -> tuple[list[str], Words]:
        """Copies of all ids and their hashes [n, words]."""
        # Not `ascontiguousarray`: of one word a hash that is a view, which later changes would write to.
        return list(self._ids), np.array(self._words[:, : len(self._ids)].T, order="C")
