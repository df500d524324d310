"""pHash as `imagehash.phash` computes it: Lanczos to 32 x 32, the DCT's 8 x 8 low frequencies against their median."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BITS = 64
_GRID = 32
_KEPT = 8


def phash(luma: NDArray[np.uint8]) -> str:
    """16 lower-case hex digits for luma [H, W]; equal to imagehash on the same pixels."""
    small = Image.fromarray(luma).resize((_GRID, _GRID), Image.Resampling.LANCZOS)
    cosines = _cosines()
    low = (cosines @ np.asarray(small, np.float64) @ cosines.T).ravel()
    return np.packbits(low > np.median(low)).tobytes().hex()


@lru_cache(maxsize=1)
def _cosines() -> NDArray[np.float64]:
    rows, columns = np.arange(_KEPT)[:, None], np.arange(_GRID)[None, :]
    return np.asarray(2 * np.cos(np.pi / (2 * _GRID) * rows * (2 * columns + 1)))
