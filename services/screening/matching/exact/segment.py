"""An immutable set of hashes with the names of their references, searched by multi-index hashing in mapped files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.screening.matching import kernels
from services.screening.matching.exact import files
from services.screening.matching.exact.files import DamagedSegment
from services.screening.matching.exact.plan import Plan, plan, with_bands

__all__ = ["DamagedSegment", "Segment"]

Words = NDArray[np.uint64]
Names = NDArray[np.bytes_]
Rows = NDArray[np.uint32]
_ROOM = 1024


class Segment:
    """Built by `Segment.build`, opened by `Segment.open`. References are numbered by the order of their names."""

    def __init__(self, folder: Path, about: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        self.folder = folder
        self.position = int(about["position"])
        self.names: Names = arrays["names"]
        self._hashes: Words = arrays["hashes"]
        self._arrays = arrays
        self._plan = with_bands(int(about["bits"]), int(about["radius"]), int(about["bands"]))
        self._kernels = kernels.load("exact.searching")
        _check_shapes(folder, self._plan, arrays)

    @classmethod
    def build(cls, folder: Path, names: Names, hashes: Words, radius: int, position: int = 0) -> Segment:
        """Writes the segment of distinct names [n] and their hashes [n, words] to a new folder and opens it.

        `position`: of the log, up to which it holds everything. Takes seconds for millions and lets other threads run.
        """
        order = np.argsort(names, kind="stable")
        names, hashes = names[order], np.ascontiguousarray(hashes[order])
        unique, row_of = _distinct(hashes)
        made = plan(hashes.shape[1] * 64, radius, len(unique))
        arrays = {"names": names, "hashes": unique, **_buckets(made, unique)}
        if len(unique) < len(names):
            arrays |= _postings(row_of, len(unique))
        about = {"bits": made.bits, "radius": radius, "bands": len(made.bands), "position": position}
        files.write(folder, about, arrays)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Segment:
        """Maps a segment in milliseconds. Raises DamagedSegment unless manifest, sizes and shapes are right.

        `verify` reads it all; wrong bytes that this does not see cannot make a search read outside of the arrays.
        """
        return cls(folder, *files.read(folder))

    def verify(self) -> None:
        """Compares every file's SHA-256 with the manifest's; raises DamagedSegment."""
        files.verify(self.folder)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def bytes_each(self) -> float:
        """Bytes a reference, its name left out."""
        return sum(array.nbytes for name, array in self._arrays.items() if name != "names") / max(1, len(self))

    def within(self, query: Words, radius: int) -> Iterator[tuple[int, int]]:
        """(number of the reference, distance) of all within the radius; above the plan's radius by a scan."""
        found = np.empty((_ROOM, 2), np.int64)
        count = self._search(query, radius, found)
        if count > len(found):
            found = np.empty((count, 2), np.int64)
            self._search(query, radius, found)
        for row, distance in found[:count].tolist():
            for number in self._references(row):
                yield number, distance

    def number_of(self, name: bytes) -> int | None:
        """The number of a reference, None where it is not here."""
        if len(name) > self.names.itemsize:
            return None
        # A key of another width would make NumPy convert every name.
        at = int(np.searchsorted(self.names, np.array(name, self.names.dtype)))
        return at if at < len(self.names) and self.names[at] == name else None

    def hash_of(self, number: int) -> Words:
        """The hash of a reference by its number."""
        rows = self._arrays.get("row_of")
        return np.asarray(self._hashes[number if rows is None else int(rows[number])])

    def hashes(self) -> Words:
        """All hashes [n, words] by number."""
        rows = self._arrays.get("row_of")
        return self._hashes if rows is None else self._hashes[rows]

    def _search(self, query: Words, radius: int, out: NDArray[np.int64]) -> int:
        made, held = self._plan, self._arrays
        if radius > made.radius or not len(self):
            return int(self._kernels.scan(self._hashes, query, radius, out))
        layout = (made.bands, made.flips, made.ranges, made.buckets, held["offsets"], held["rows"], out)
        if made.bits == 64:
            return int(self._kernels.search_copies(held["copies"], query[0], radius, *layout))
        return int(self._kernels.search(self._hashes, query, radius, *layout))

    def _references(self, row: int) -> list[int]:
        if "postings" not in self._arrays:
            return [row]
        starts, postings = self._arrays["posting_starts"], self._arrays["postings"]
        numbers: list[int] = postings[int(starts[row]) : int(starts[row + 1])].tolist()
        return [number for number in numbers if number < len(self)]


def _distinct(hashes: Words) -> tuple[Words, Rows]:
    """Each hash once and the row of every reference: the references' own order where no two are equal."""
    order = np.lexsort(hashes.T[::-1])
    ranked = hashes[order]
    new = np.ones(len(hashes), np.bool_)
    new[1:] = (ranked[1:] != ranked[:-1]).any(axis=1)
    if new.all():
        return hashes, np.arange(len(hashes), dtype=np.uint32)
    row_of = np.empty(len(hashes), np.uint32)
    row_of[order] = np.cumsum(new) - 1
    return np.ascontiguousarray(ranked[new]), row_of


def _buckets(made: Plan, hashes: Words) -> dict[str, NDArray[Any]]:
    searching, count = kernels.load("exact.searching"), len(hashes)
    offsets = np.zeros(int(made.buckets[-1]), np.uint32)
    rows = np.empty(count * len(made.bands), np.uint32)
    for band, (start, width, _) in enumerate(made.bands.tolist()):
        part = offsets[made.buckets[band] : made.buckets[band + 1]]
        searching.fill_band(hashes, start, width, part, rows[band * count : (band + 1) * count])
    arrays: dict[str, NDArray[Any]] = {"offsets": offsets, "rows": rows}
    return arrays | ({"copies": hashes[rows, 0]} if made.bits == 64 else {})


def _postings(row_of: Rows, rows: int) -> dict[str, NDArray[Any]]:
    counts = np.bincount(row_of, minlength=rows)
    return {
        "row_of": row_of,
        "posting_starts": np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32),
        "postings": np.argsort(row_of, kind="stable").astype(np.uint32),
    }


def _check_shapes(folder: Path, made: Plan, arrays: dict[str, NDArray[Any]]) -> None:
    count, bands = len(arrays["hashes"]), len(made.bands)
    wanted = {
        "hashes": ("<u8", (count, made.bits // 64)),
        "offsets": ("<u4", (int(made.buckets[-1]),)),
        "rows": ("<u4", (count * bands,)),
        **({"copies": ("<u8", (count * bands,))} if made.bits == 64 else {}),
        **({"posting_starts": ("<u4", (count + 1,))} if "postings" in arrays else {}),
    }
    for name, (dtype, shape) in wanted.items():
        if name not in arrays or arrays[name].dtype != dtype or arrays[name].shape != shape:
            raise DamagedSegment(f"{folder / name}: not of the shape that the plan needs")
