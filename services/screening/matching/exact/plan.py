"""How a hash is cut into bands so that probing each near its own value misses no neighbour.

Multi-index hashing (Norouzi, Punjani, Fleet, CVPR 2012) with the generalised pigeonhole: if the limits t of the bands
fulfil sum(t + 1) = radius + 1, a hash within the radius is within t of the query in one band at least.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
_BANDS = {256: ((5_000_000, 11), (500_000, 12), (100_000, 14), (0, 16)), 64: ((0, 4),)}


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Bands [n, 3]: first bit, width, limit. `flips` of band i: `flips[ranges[i] : ranges[i + 1]]`, sorted."""

    bits: int
    radius: int
    bands: Numbers
    flips: Numbers
    ranges: Numbers
    buckets: Numbers
    """Where each band's buckets begin in the table of offsets, [n + 1]: one more than 2 ** width each."""


def plan(bits: int, radius: int, count: int) -> Plan:
    """For `count` hashes: more of them pay for wider bands. Raises ValueError for other than 64 or 256 bits."""
    if bits not in _BANDS:
        raise ValueError(f"bits: {bits}, an index takes hashes of 64 or 256 bits")
    return with_bands(bits, radius, next(bands for least, bands in _BANDS[bits] if count >= least))


def with_bands(bits: int, radius: int, number: int) -> Plan:
    """A plan of `number` bands; the limits differ by one at most, the lower ones on the wider bands."""
    widths = [bits // number + (i < bits % number) for i in range(number)]
    spare = radius + 1 - number
    limits = [spare // number + (i >= number - spare % number) for i in range(number)]
    starts = np.cumsum([0, *widths[:-1]])
    flips = [_flips(width, limit) for width, limit in zip(widths, limits, strict=True)]
    return Plan(
        bits,
        radius,
        np.ascontiguousarray(np.column_stack([starts, widths, limits]), np.int64),
        np.concatenate(flips),
        np.cumsum([0, *map(len, flips)]),
        np.cumsum([0, *((1 << width) + 1 for width in widths)]),
    )


def _flips(width: int, limit: int) -> Numbers:
    """All masks of at most `limit` of `width` bits; none for a limit below 0."""
    chosen = (bits for size in range(limit + 1) for bits in combinations(range(width), size))
    return np.array(sorted(sum(1 << bit for bit in bits) for bits in chosen), np.int64)
