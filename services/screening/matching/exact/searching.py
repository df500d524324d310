"""Compiled parts of multi-index hashing: filling the buckets, and the search within the radius.

Every index read from a file is checked against the arrays' lengths: a damaged file gives wrong answers, never a crash.
"""

# ruff: noqa: PLR0917  compiled functions take their arguments by position
from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]  # ships no types
from numba import types
from numpy.typing import NDArray

from services.screening.matching.bits import popcount
from services.screening.matching.kernels import Scalar, kernel, vector_operation

Words = NDArray[np.uint64]
Rows = NDArray[np.uint32]
Table = NDArray[np.int64]

START, WIDTH, LIMIT = range(3)
_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_AT_ONCE = 4096
_AHEAD = 32  # hashes asked for before they are compared
_FEW = 4  # rows that most buckets do not exceed


def _stored(element: Any, dimensions: int) -> Any:
    """The type of an array in a file: read only."""
    return types.Array(element, dimensions, "C", readonly=True)


_HASHES, _COPIES = _stored(types.uint64, 2), _stored(types.uint64, 1)
_OFFSETS = _ROWS = _stored(types.uint32, 1)
_TABLE, _NUMBERS = types.int64[:, ::1], types.int64[::1]


@vector_operation
def _prefetch(typing: Any, array: Any, index: Any) -> Any:
    """Asks for `array[index]`, which is read a little later."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        held = context.make_array(signature.args[0])(context, builder, args[0])
        stride = builder.extract_value(held.strides, 0)
        address = builder.add(builder.ptrtoint(held.data, ir.IntType(64)), builder.mul(args[1], stride))
        pointer, number = builder.inttoptr(address, ir.IntType(8).as_pointer()), ir.IntType(32)
        name = "llvm.prefetch.p0"
        function = builder.module.globals.get(name) or ir.Function(
            builder.module, ir.FunctionType(ir.VoidType(), (pointer.type, number, number, number)), name
        )
        builder.call(function, [pointer, number(0), number(3), number(1)])  # to read, keep in all caches, data
        return context.get_dummy_value()

    return types.void(array, types.int64), build


@kernel(types.int64(_COPIES, types.int64, types.int64))
def band_of(words: Words, start: Scalar, width: Scalar) -> Scalar:
    """Bits `start .. start + width - 1` of a hash as a number."""
    word, shift = start >> 6, start & 63
    value = words[word] >> np.uint64(shift)
    if shift + width > 64:
        value |= words[word + 1] << np.uint64(64 - shift)
    return np.int64(value & ((np.uint64(1) << np.uint64(width)) - np.uint64(1)))


@kernel(types.int64(_COPIES, _COPIES))
def _distance(one: Words, other: Words) -> Scalar:
    total = np.int64(popcount(one[0] ^ other[0]))
    if len(one) == 4:
        total += np.int64(popcount(one[1] ^ other[1]) + popcount(one[2] ^ other[2]) + popcount(one[3] ^ other[3]))
    return total


@kernel(types.void(types.uint64[:, ::1], types.int64, types.int64, types.uint32[::1], types.uint32[::1]))
def fill_band(hashes: Words, start: Scalar, width: Scalar, offsets: Rows, rows: Rows) -> None:
    """Counting sort of all rows by a band: `offsets` [2 ** width + 1], zero at first, and `rows` [n]."""
    for i in range(len(hashes)):
        offsets[band_of(hashes[i], start, width) + 1] += np.uint32(1)
    for k in range(len(offsets) - 1):
        offsets[k + 1] += offsets[k]
    for i in range(len(hashes)):
        k = band_of(hashes[i], start, width)
        rows[offsets[k]] = i
        offsets[k] += np.uint32(1)
    for k in range(len(offsets) - 1, 0, -1):
        offsets[k] = offsets[k - 1]
    offsets[0] = 0


@kernel(types.boolean(_COPIES, _COPIES, _TABLE, types.int64))
def _seen_before(found: Words, query: Words, bands: Table, band: Scalar) -> Scalar:
    """Whether an earlier band has reported this hash already."""
    for k in range(band):
        start, width = bands[k, START], bands[k, WIDTH]
        differing = np.uint64(band_of(found, start, width) ^ band_of(query, start, width))
        if np.int64(popcount(differing)) <= bands[k, LIMIT]:
            return True
    return False


@kernel(
    types.int64(_HASHES, _COPIES, types.int64, _TABLE, types.int64, types.uint32[::1], types.int64, _TABLE, types.int64)
)
def _check(
    hashes: Words,
    query: Words,
    radius: Scalar,
    bands: Table,
    band: Scalar,
    candidates: Rows,
    count: Scalar,
    out: Table,
    found: Scalar,
) -> Scalar:
    """Appends the candidates within the radius to `out`; counts beyond its room, too."""
    total = np.uint64(len(hashes))
    for k in range(min(count, _AHEAD)):
        _prefetch(hashes, np.int64(candidates[k]))
    for k in range(count):
        _prefetch(hashes, np.int64(candidates[np.uint64(k + _AHEAD)]))
        row = np.uint64(candidates[np.uint64(k)])
        if row >= total:
            continue
        distance = np.int64(
            popcount(hashes[row, 0] ^ query[0])
            + popcount(hashes[row, 1] ^ query[1])
            + popcount(hashes[row, 2] ^ query[2])
            + popcount(hashes[row, 3] ^ query[3])
        )
        if distance <= radius and not _seen_before(hashes[row], query, bands, band):
            if found < len(out):
                out[found, 0], out[found, 1] = row, distance
            found += 1
    return found


@kernel(types.void(_OFFSETS, _COPIES, types.int64, _TABLE, _NUMBERS, _NUMBERS, _NUMBERS, _TABLE))
def _bounds_of(
    offsets: Rows, query: Words, total: Scalar, bands: Table, flips: Table, ranges: Table, buckets: Table, out: Table
) -> None:
    """Where the bucket of every flip begins in the rows, and how many it holds: all are asked for first, then read."""
    for band in range(len(bands)):
        value = band_of(query, bands[band, START], bands[band, WIDTH])
        for k in range(ranges[band], ranges[band + 1]):
            out[k, 0] = buckets[band] + (value ^ flips[k])
            _prefetch(offsets, out[k, 0])
    for band in range(len(bands)):
        for k in range(ranges[band], ranges[band + 1]):
            bucket = np.uint64(out[k, 0])
            begin = min(np.int64(offsets[bucket]), total)
            out[k, 0] = band * total + begin
            out[k, 1] = max(min(np.int64(offsets[bucket + np.uint64(1)]), total) - begin, 0)


@kernel(types.int64(_HASHES, _COPIES, types.int64, _TABLE, _NUMBERS, _NUMBERS, _NUMBERS, _OFFSETS, _ROWS, _TABLE))
def search(
    hashes: Words,
    query: Words,
    radius: Scalar,
    bands: Table,
    flips: Table,
    ranges: Table,
    buckets: Table,
    offsets: Rows,
    rows: Rows,
    out: Table,
) -> Scalar:
    """All (row, distance) within the radius into `out` [room, 2]; returns how many there are, which may be more."""
    total, found, candidates = len(hashes), 0, np.empty(_AT_ONCE + _AHEAD, np.uint32)
    bounds = np.empty((len(flips), 2), np.int64)
    _bounds_of(offsets, query, total, bands, flips, ranges, buckets, bounds)
    for k in range(len(flips)):
        _prefetch(rows, bounds[k, 0])
    for band in range(len(bands)):
        count = 0
        for k in range(ranges[band], ranges[band + 1]):
            begin, held = np.uint64(bounds[k, 0]), bounds[k, 1]
            if held <= _FEW and begin + np.uint64(_FEW) <= np.uint64(len(rows)):
                # Copied whether they are there or not: a branch on each small number would be guessed wrong.
                for j in range(_FEW):
                    candidates[np.uint64(count + j)] = rows[begin + np.uint64(j)]
                count += held
            else:
                for j in range(held):
                    candidates[np.uint64(count)] = rows[begin + np.uint64(j)]
                    count += 1
                    if count == _AT_ONCE:
                        found = _check(hashes, query, radius, bands, band, candidates, count, out, found)
                        count = 0
            if count > _AT_ONCE - _FEW:
                found = _check(hashes, query, radius, bands, band, candidates, count, out, found)
                count = 0
        found = _check(hashes, query, radius, bands, band, candidates, count, out, found)
    return found


@kernel(types.boolean(types.uint64, _TABLE, types.int64))
def _in_earlier_band(differing: Scalar, bands: Table, band: Scalar) -> Scalar:
    """As `_seen_before`, from the differing bits of a 64-bit hash."""
    for k in range(band):
        bits = (differing >> np.uint64(bands[k, START])) & ((np.uint64(1) << np.uint64(bands[k, WIDTH])) - np.uint64(1))
        if np.int64(popcount(bits)) <= bands[k, LIMIT]:
            return True
    return False


@kernel(types.int64(_COPIES, types.uint64, types.int64, _TABLE, _NUMBERS, _NUMBERS, _NUMBERS, _OFFSETS, _ROWS, _TABLE))
def search_copies(
    copies: Words,
    query: Scalar,
    radius: Scalar,
    bands: Table,
    flips: Table,
    ranges: Table,
    buckets: Table,
    offsets: Rows,
    rows: Rows,
    out: Table,
) -> Scalar:
    """As `search` for 64-bit hashes that lie beside the rows of their buckets, so that none has to be fetched."""
    total, found, bounds = len(copies) // len(bands), 0, np.empty((len(flips), 2), np.int64)
    words = np.full(1, query)
    _bounds_of(offsets, words, total, bands, flips, ranges, buckets, bounds)
    for k in range(len(flips)):
        _prefetch(copies, bounds[k, 0])
    for band in range(len(bands)):
        for k in range(ranges[band], ranges[band + 1]):
            for at in range(bounds[k, 0], bounds[k, 0] + bounds[k, 1]):
                differing = copies[np.uint64(at)] ^ query
                distance = np.int64(popcount(differing))
                if distance <= radius and not _in_earlier_band(differing, bands, band):
                    if found < len(out):
                        out[found, 0], out[found, 1] = rows[at], distance
                    found += 1
    return found


@kernel(types.int64(_HASHES, _COPIES, types.int64, _TABLE))
def scan(hashes: Words, query: Words, radius: Scalar, out: Table) -> Scalar:
    """As `search`, by looking at every hash: for radii that the bands were not made for."""
    found = 0
    for row in range(len(hashes)):
        distance = _distance(hashes[row], query)
        if distance <= radius:
            if found < len(out):
                out[found, 0], out[found, 1] = row, distance
            found += 1
    return found


@kernel(types.void(types.uint64[:, ::1], types.int64, _COPIES, types.uint16[::1]))
def distances(words: Words, count: Scalar, query: Words, out: NDArray[np.uint16]) -> None:
    """Differing bits of the first `count` hashes, which lie word by word, into `out`."""
    if len(words) == 4:
        for k in range(count):
            out[k] = (
                popcount(words[0, k] ^ query[0])
                + popcount(words[1, k] ^ query[1])
                + popcount(words[2, k] ^ query[2])
                + popcount(words[3, k] ^ query[3])
            )
    else:
        for k in range(count):
            out[k] = popcount(words[0, k] ^ query[0])
