"""Inverted lists of 128-bit codes with live adds and removals: two lists a centre, for brighter and darker features."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from services.screening.matching.local import kernels, symmetry, vocabulary
from services.screening.matching.local.symmetry import PASSES, Pass

Codes = NDArray[np.uint64]
Numbers = NDArray[np.int32]

_BLOCK = 64
T = TypeVar("T", np.uint64, np.int32)


class Lists:
    """Codes by slot number. One thread at a time."""

    def __init__(self, probes: int = 8) -> None:
        self._kernels = kernels.load("listing")
        self._probes = probes
        base = vocabulary.base_centres()
        self._base = len(base)
        centres = symmetry.closed(base)
        self._centre_words = [np.ascontiguousarray(centres[:, word]) for word in (0, 1)]
        self._table = np.zeros((3, 2 * len(centres)), np.int64)
        self._low = np.zeros(_BLOCK, np.uint64)
        self._high = np.zeros(_BLOCK, np.uint64)
        self._slots = np.zeros(_BLOCK, np.int32)
        self._end = 0

    def add(self, codes: Codes, positive: int, first_slot: int) -> None:
        """Codes take the slots from `first_slot` on; the first `positive` are of bright features."""
        lists, begin = self._own_lists(codes, positive), 0
        while True:
            begin = self._kernels.append(codes, lists, first_slot, begin, self._table, *self._entries())
            if begin == len(codes):
                return
            self._enlarge(int(lists[begin]))

    def remove(self, codes: Codes, positive: int, first_slot: int) -> None:
        """Takes out what `add` put in under the same arguments."""
        lists = np.unique(self._own_lists(codes, positive))
        self._kernels.remove(lists, first_slot, first_slot + len(codes) - 1, self._table, *self._entries())

    def probe(self, codes: Codes) -> Numbers:
        """The nearest centres [n, probes] of an upright code; `search` derives those of the other passes."""
        centres = np.empty((len(codes), self._probes), np.int32)
        self._kernels.probe(codes, *self._centre_words, centres)
        return centres

    def search(self, codes: Codes, centres: Numbers, positive: int, turned: Pass) -> tuple[NDArray[np.uint8], Numbers]:
        """Distances and slots [n, 9] of each feature's nearest under one pass; 37 and -1 where there are fewer."""
        # Centres are closed under the passes: the image's nearest centres are the images of the nearest centres.
        lists = 2 * (centres ^ np.int32(PASSES.index(turned) * self._base)) + turned.inverted
        lists[positive:] ^= 1
        distances = np.full((len(codes), self._kernels.NEIGHBOURS), self._kernels.REACH + 1, np.uint8)
        found = np.full(distances.shape, -1, np.int32)
        self._kernels.scan(symmetry.permuted(codes, turned), lists, self._table, *self._entries(), distances, found)
        return distances, found

    def _own_lists(self, codes: Codes, positive: int) -> Numbers:
        nearest = np.empty((len(codes), 1), np.int32)
        self._kernels.probe(codes, *self._centre_words, nearest)
        lists = 2 * nearest[:, 0]
        lists[positive:] += 1
        return lists

    def _entries(self) -> tuple[Codes, Codes, Numbers]:
        return self._low, self._high, self._slots

    def _enlarge(self, number: int) -> None:
        """Moves a full list to the end of the entries with half as much room again."""
        wanted = int(self._table[2, number]) * 3 // 2 // _BLOCK * _BLOCK + _BLOCK
        if self._end + wanted > len(self._slots):
            self._make_room(wanted)
        start, length, _ = self._table[:, number].tolist()
        for array in self._entries():
            array[self._end : self._end + length] = array[start : start + length]
        self._table[:, number] = self._end, length, wanted
        self._end += wanted

    def _make_room(self, wanted: int) -> None:
        """Closes the gaps that moved lists left, and grows by half where that is not enough."""
        end = 0
        for number in np.argsort(self._table[0], kind="stable").tolist():
            start, length, room = self._table[:, number].tolist()
            for array in self._entries():
                array[end : end + length] = array[start : start + length].copy()
            self._table[0, number] = end
            end += room
        self._end = end
        if end + wanted > len(self._slots) * 3 // 4:
            size = (end + wanted) * 3 // 2
            self._low, self._high = _grown(self._low, size), _grown(self._high, size)
            self._slots = _grown(self._slots, size)


def _grown(array: NDArray[T], size: int) -> NDArray[T]:
    longer = np.zeros(size, array.dtype)
    longer[: len(array)] = array
    return longer
