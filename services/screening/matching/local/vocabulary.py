"""Fixed numbers shared by every index: medians of the descriptor and the centres of the inverted lists.

Trained by tests/bench/partial_vocabulary.py on pictures drawn by code; features coded with others are not comparable.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_FOLDER = Path(__file__).parent


@lru_cache(maxsize=1)
def medians() -> NDArray[np.float32]:
    """128 thresholds, the same under mirroring and inversion."""
    return np.loadtxt(_FOLDER / "medians.txt", np.float32)


@lru_cache(maxsize=1)
def base_centres() -> NDArray[np.uint64]:
    """uint64 [512, 2]; with their images under the other three passes they are the lists' centres."""
    digits = (_FOLDER / "centres.txt").read_text().split()
    return np.frombuffer(bytes.fromhex("".join(digits)), "<u8").reshape(-1, 2).astype(np.uint64)
