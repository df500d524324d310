"""Inverted lists of 128-bit codes with live adds and removals: two lists a centre, for brighter and darker features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from services.screening.matching import kernels
from services.screening.matching.local import symmetry, vocabulary
from services.screening.matching.local.symmetry import PASSES, Pass

Codes = NDArray[np.uint64]
Numbers = NDArray[np.int32]

_BLOCK = 64
_PROBES = 8
_MANY, _FEWER_PROBES = 2_500_000, 6  # from about 5,000 references on: a quarter less time, about 1 % less recall
T = TypeVar("T", np.uint64, np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Upright codes with their nearest centres, the first `positive` of bright features, to be asked under a pass."""

    codes: Codes
    centres: Numbers
    positive: int
    turned: Pass


class Lists:
    """Codes by slot number. One thread at a time."""

    def __init__(self) -> None:
        self._kernels = kernels.load("local.listing")
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
        probes = _PROBES if int(self._table[1].sum()) < _MANY else _FEWER_PROBES
        centres = np.empty((len(codes), probes), np.int32)
        self._kernels.probe(codes, *self._centre_words, centres)
        return centres

    def search(self, asked: Sequence[Question]) -> list[tuple[NDArray[np.uint8], Numbers]]:
        """Distances and slots [n, 9] of each feature's nearest for each question; 29 and -1 where there are fewer.

        All questions in one scan: with many references the time goes into reading the lists.
        """
        codes = np.concatenate([symmetry.permuted(question.codes, question.turned) for question in asked])
        lists = np.concatenate([self._lists_of(question) for question in asked])
        distances = np.full((len(codes), self._kernels.NEIGHBOURS), self._kernels.REACH + 1, np.uint8)
        found = np.full(distances.shape, -1, np.int32)
        self._kernels.scan(codes, lists, self._table, *self._entries(), distances, found)
        ends = np.cumsum([len(question.codes) for question in asked])[:-1]
        return list(zip(np.split(distances, ends), np.split(found, ends), strict=True))

    def _lists_of(self, question: Question) -> Numbers:
        """The lists to scan [n, probes]: bright features' lists are even."""
        # Centres are closed under the passes: the image's nearest centres are the images of the nearest centres.
        image = question.centres ^ np.int32(PASSES.index(question.turned) * self._base)
        lists = 2 * image + np.int32(question.turned.inverted)
        lists[question.positive :] ^= 1
        return np.asarray(lists)

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
