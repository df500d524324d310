"""Votes: each neighbour counts by how much nearer it is than the ninth, which stands for chance."""

# ruff: noqa: PLR0917  compiled functions take their arguments by position
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.screening.matching.kernels import Scalar, kernel

LEAST_WEIGHT = np.float32(0.05)
LEAST_BACKGROUND = np.float32(8)  # bits: a work that is registered nine times must not take itself for chance


@kernel("i8(u1[:, ::1], i4[:, ::1], i8, f4[::1], i4[::1], i4[:, ::1], f4[::1])")
def vote(
    distances: NDArray[np.uint8],
    found: NDArray[np.int32],
    shift: Scalar,
    tally: NDArray[np.float32],
    counts: NDArray[np.int32],
    matches: NDArray[np.int32],
    weights: NDArray[np.float32],
) -> Scalar:
    """Writes matches [room, 3]: reference, query feature, slot; at most one a reference and query feature.

    A slot's reference is slot >> shift. Adds weights to `tally` and counts to `counts` by reference; returns how many.
    """
    last, total = distances.shape[1] - 1, 0
    for i in range(len(distances)):
        background, begin = max(np.float32(distances[i, last]), LEAST_BACKGROUND), total
        for k in range(last):
            weight = np.float32(1) - np.float32(distances[i, k]) / background
            if found[i, k] < 0 or weight <= LEAST_WEIGHT:
                break
            reference, seen = found[i, k] >> shift, False
            for j in range(begin, total):
                seen = seen or matches[j, 0] == reference
            if not seen:
                matches[total, 0], matches[total, 1], matches[total, 2] = reference, i, found[i, k]
                weights[total] = weight
                tally[reference] += weight
                counts[reference] += 1
                total += 1
    return total
