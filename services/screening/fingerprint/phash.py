"""pHash as `imagehash.phash` computes it: the DCT's 8 x 8 low frequencies of a 32 x 32 grid against their median."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from services.screening.fingerprint.grids import LANCZOS, Grid

BITS = 64
_KEPT = 8


def phash(grid: Grid) -> str:
    """16 lower-case hex digits of the 32 x 32 grid; equal to imagehash on the same pixels."""
    cosines = _cosines()
    low = (cosines @ grid.astype(np.float64) @ cosines.T).ravel()
    return np.packbits(low > np.median(low)).tobytes().hex()


@lru_cache(maxsize=1)
def _cosines() -> NDArray[np.float64]:
    rows, columns = np.arange(_KEPT)[:, None], np.arange(LANCZOS)[None, :]
    return np.asarray(2 * np.cos(np.pi / (2 * LANCZOS) * rows * (2 * columns + 1)))
