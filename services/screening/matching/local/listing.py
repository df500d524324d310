"""Inverted lists over 128-bit codes: nearest centres, appending, removing, and the scan for nearest neighbours."""

# ruff: noqa: PLR0917  compiled functions take their arguments by position
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.screening.matching.bits import (
    below,
    closer_than,
    equal,
    popcount,
    trailing_zeros,
    write_distances,
)
from services.screening.matching.kernels import Scalar, kernel

Words = NDArray[np.uint64]
Numbers = NDArray[np.int32]
Bytes = NDArray[np.uint8]
Table = NDArray[np.int64]

NEIGHBOURS = 9
REACH = 28  # bits: codes farther apart agree by chance
# Rows of the table of lists.
START, LENGTH, ROOM = range(3)
_ONE = np.uint64(1)


@kernel("void(u1[::1], i8, u1, i4[::1])")
def _write_nearest(distances: Bytes, count: Scalar, bound: Scalar, out: Numbers) -> None:
    """Indexes of all distances below `bound` into `out`, then of those equal to it while there is room."""
    found = 0
    for at in range(0, count, 64):
        mask = below(distances, at, bound)
        while mask:
            out[found] = at + np.int64(trailing_zeros(mask))
            found += 1
            mask &= mask - _ONE
    for at in range(0, count, 64):
        mask = equal(distances, at, bound)
        while mask and found < len(out):
            out[found] = at + np.int64(trailing_zeros(mask))
            found += 1
            mask &= mask - _ONE


@kernel("u1(u1[::1], i8, i8)")
def _bound_of(distances: Bytes, count: Scalar, wanted: Scalar) -> Scalar:
    """The least distance within which `wanted` lie or more."""
    low, high = 0, 128
    while low < high:
        middle, within = (low + high) >> 1, np.int64(0)
        for at in range(0, count, 64):
            within += np.int64(popcount(below(distances, at, np.uint8(middle + 1))))
        if within >= wanted:
            high = middle
        else:
            low = middle + 1
    return np.uint8(low)


@kernel("void(u8[:, ::1], u8[::1], u8[::1], i4[:, ::1])")
def probe(codes: Words, low: Words, high: Words, out: Numbers) -> None:
    """The nearest centres of each code into `out` [n, probes]; there are a multiple of 64 centres."""
    count = len(low)
    distances = np.empty(count, np.uint8)
    for i in range(len(codes)):
        for at in range(0, count, 64):
            write_distances(low, high, at, codes[i, 0], codes[i, 1], distances)
        _write_nearest(distances, count, _bound_of(distances, count, out.shape[1]), out[i])


@kernel("i8(u8[:, ::1], i4[::1], i4, i8, i8[:, ::1], u8[::1], u8[::1], i4[::1])")
def append(
    codes: Words,
    lists: Numbers,
    first_slot: Scalar,
    begin: Scalar,
    table: Table,
    low: Words,
    high: Words,
    slots: Numbers,
) -> Scalar:
    """Appends codes `begin ..` to their lists; returns how many are in, fewer than all when a list needs room."""
    for i in range(begin, len(codes)):
        number = lists[i]
        length = table[LENGTH, number]
        if length == table[ROOM, number]:
            return i
        at = table[START, number] + length
        low[at], high[at], slots[at] = codes[i, 0], codes[i, 1], first_slot + i
        table[LENGTH, number] = length + 1
    return len(codes)


@kernel("void(i4[::1], i4, i4, i8[:, ::1], u8[::1], u8[::1], i4[::1])")
def remove(
    lists: Numbers, first_slot: Scalar, last_slot: Scalar, table: Table, low: Words, high: Words, slots: Numbers
) -> None:
    """Takes the slots `first_slot .. last_slot` from the lists named; the last entry of a list fills the gap."""
    for number in lists:
        begin, at = table[START, number], table[START, number]
        end = begin + table[LENGTH, number]
        while at < end:
            if first_slot <= slots[at] <= last_slot:
                end -= 1
                low[at], high[at], slots[at] = low[end], high[end], slots[end]
            else:
                at += 1
        table[LENGTH, number] = end - begin


@kernel("void(i4[:, ::1], i8[::1], i4[::1])")
def _sort_by_list(lists: Numbers, ends: Table, queries: Numbers) -> None:
    """Queries grouped by the list they ask: those of list n lie in `queries[ends[n - 1] : ends[n]]`."""
    for i in range(len(lists)):
        for number in lists[i]:
            ends[number + 1] += 1
    for number in range(1, len(ends)):
        ends[number] += ends[number - 1]
    for i in range(len(lists)):
        for number in lists[i]:
            queries[ends[number]] = i
            ends[number] += 1


@kernel("void(u8[:, ::1], i4[:, ::1], i8[:, ::1], u8[::1], u8[::1], i4[::1], u1[:, ::1], i4[:, ::1])")
def scan(
    codes: Words,
    lists: Numbers,
    table: Table,
    low: Words,
    high: Words,
    slots: Numbers,
    distances: Bytes,
    found: Numbers,
) -> None:
    """Keeps in `distances` and `found` [n, 9] the nearest entries of each code among its lists.

    Goes list by list, so that a list stays in the cache for all that ask it.
    """
    ends, queries = np.zeros(table.shape[1] + 1, np.int64), np.empty(lists.size, np.int32)
    _sort_by_list(lists, ends, queries)
    last, begin = distances.shape[1] - 1, 0
    for number in range(table.shape[1]):
        first = table[START, number]
        stop = first + table[LENGTH, number]
        for i in queries[begin : ends[number]]:
            a, b = codes[i, 0], codes[i, 1]
            for at in range(first, stop, 64):
                mask = closer_than(low, high, at, a, b, np.uint64(distances[i, last]))
                if stop - at < 64:
                    mask &= (_ONE << np.uint64(stop - at)) - _ONE
                while mask:
                    place = at + np.int64(trailing_zeros(mask))
                    mask &= mask - _ONE
                    distance = np.uint8(popcount(low[place] ^ a) + popcount(high[place] ^ b))
                    if distance < distances[i, last]:
                        k = last
                        while k > 0 and distances[i, k - 1] > distance:
                            distances[i, k], found[i, k] = distances[i, k - 1], found[i, k - 1]
                            k -= 1
                        distances[i, k], found[i, k] = distance, slots[place]
        begin = ends[number]
