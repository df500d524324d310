"""A table of hashes for millions: one immutable segment, what came since, and what was withdrawn since."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.screening.matching import kernels
from services.screening.matching.exact.files import DamagedSegment
from services.screening.matching.exact.segment import Segment
from services.screening.matching.hash_table import ScanTable, by_numpy

_PREFIX = "segment-"
_REFUSED = "damaged-"
_KEPT = 2  # the newest segment, and the one before it in case the newest is damaged


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """What a merge starts from; `build` may run in any thread while the table lives on."""

    folder: Path
    radius: int
    position: int
    added: tuple[list[str], NDArray[np.uint64]]
    segment: Segment | None
    dead: NDArray[np.bool_]

    def build(self) -> Segment:
        """Writes the next segment: the last one without its withdrawn references, and what was added."""
        names = np.array([name.encode() for name in self.added[0]], np.bytes_)
        hashes = self.added[1]
        if self.segment is not None:
            names = np.concatenate([self.segment.names[~self.dead], names])
            hashes = np.concatenate([self.segment.hashes()[~self.dead], hashes])
        return Segment.build(self.folder, names, hashes, self.radius, self.position)


class SegmentedTable:
    """A `HashTable` over a folder of its own. One thread at a time, but for `Snapshot.build`.

    Opening takes the newest segment that is of its manifest's sizes; `refuse_damaged` reads all of it. `position` says
    up to where in the log it holds everything; what came later must be added again. `refused` lists the damaged ones:
    report them, answers stay right.
    """

    def __init__(self, folder: Path, *, bits: int, radius: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._radius, self._words = folder, radius, bits // 64
        self.refused: list[str] = []
        self._changed: set[str] | None = None
        self._use(self._newest())

    def refuse_damaged(self) -> None:
        """Lets go of segments of which one byte is not as written, for the ones before them. Call before adding."""
        while self._segment is not None:
            try:
                self._segment.verify()
            except DamagedSegment as damage:
                self._refuse(self._segment.folder, damage)
                self._use(self._newest())
            else:
                break

    @property
    def position(self) -> int:
        """The log's records before this are in the segment."""
        return self._segment.position if self._segment else 0

    @property
    def unmerged(self) -> int:
        """References and withdrawals since the segment; from about 64,000 on a merge pays."""
        return len(self._live) + self._withdrawn

    def __len__(self) -> int:
        return len(self._live) + len(self._dead) - self._withdrawn

    def add(self, reference_id: str, value: bytes) -> None:
        """Adds a hash, in place of what was known under the id. Raises ValueError for an id that holds NUL."""
        if "\0" in reference_id:
            raise ValueError("reference_id: may not hold NUL")
        self.remove(reference_id)
        self._live.add(reference_id, value)

    def remove(self, reference_id: str) -> None:
        """Forgets a reference; unknown ids are fine."""
        self._live.remove(reference_id)
        self._withdraw(reference_id)
        if self._changed is not None:
            self._changed.add(reference_id)

    def within(self, value: bytes, radius: int) -> list[tuple[str, int]]:
        """(reference, differing bits) of all within the radius."""
        found = self._live.within(value, radius)
        if self._segment is not None:
            query = np.frombuffer(value, np.uint64)
            for number, distance in self._segment.within(query, radius):
                if not self._dead[number]:
                    found.append((self._segment.names[number].decode(), distance))
        return found

    def value_of(self, reference_id: str) -> bytes | None:
        """A reference's hash, None where it has none."""
        number = self._number_of(reference_id)
        if self._segment is not None and number is not None and not self._dead[number]:
            return self._segment.hash_of(number).tobytes()
        return self._live.value_of(reference_id)

    def snapshot(self, position: int) -> Snapshot:
        """Begins a merge of everything that was applied, which is the log up to `position`."""
        self._changed = set()
        number = 1 + max(map(_number, self._folder.glob(f"{_PREFIX}*")), default=0)
        name = self._folder / f"{_PREFIX}{number:08d}"
        return Snapshot(name, self._radius, position, self._live.contents(), self._segment, self._dead.copy())

    def adopt(self, merged: Segment) -> None:
        """Ends a merge: the new segment takes over, less what changed meanwhile. Not if the table was cleared."""
        changed, self._changed, before = self._changed, None, self._live
        if changed is None:
            shutil.rmtree(merged.folder)
            return
        self._use(merged)
        for name in changed:
            self._withdraw(name)
            if (value := before.value_of(name)) is not None:
                self._live.add(name, value)

    def sweep(self) -> None:
        """Deletes segments that are no longer needed; in any thread, but not while a merge is written."""
        for old in [*self._segments()[:-_KEPT], *self._folder.glob(f"{_REFUSED}*")]:
            shutil.rmtree(old)

    def clear(self) -> None:
        """Forgets everything: the log that it was built from is another one."""
        self._changed = None
        self._use(None)
        for old in self._segments():
            shutil.rmtree(old)

    def _use(self, segment: Segment | None) -> None:
        self._segment, self._withdrawn = segment, 0
        self._live = ScanTable(self._words, by_numpy if segment is None else _compiled)
        self._dead = np.zeros(len(segment) if segment else 0, np.bool_)

    def _withdraw(self, reference_id: str) -> None:
        number = self._number_of(reference_id)
        if number is not None and not self._dead[number]:
            self._dead[number] = True
            self._withdrawn += 1

    def _number_of(self, reference_id: str) -> int | None:
        return self._segment.number_of(reference_id.encode()) if self._segment else None

    def _newest(self) -> Segment | None:
        for folder in self._folder.glob("*.partial"):
            shutil.rmtree(folder)  # of a merge that did not live to its end
        for folder in reversed(self._segments()):
            try:
                return Segment.open(folder)
            except DamagedSegment as damage:
                self._refuse(folder, damage)
        return None

    def _refuse(self, folder: Path, damage: DamagedSegment) -> None:
        self.refused.append(str(damage).removeprefix(f"{self._folder.parent}/"))
        aside = folder.with_name(f"{_REFUSED}{folder.name}")  # to be looked at, until the next merge
        shutil.rmtree(aside, ignore_errors=True)
        folder.rename(aside)

    def _segments(self) -> list[Path]:
        whole = (path for path in self._folder.glob(f"{_PREFIX}*") if path.suffix != ".partial")
        return sorted(whole, key=_number)


def _compiled(words: NDArray[np.uint64], count: int, query: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """`Distances` three times as fast, once there are segments, which need the compiler anyway."""
    found = np.empty(count, np.uint16)
    kernels.load("exact.searching").distances(words, count, query, found)
    return found


def _number(folder: Path) -> int:
    digits = folder.name.removeprefix(_PREFIX).removesuffix(".partial")
    return int(digits) if digits.isdecimal() else 0
