"""Codes of mirrored and inverted pictures are permutations of the same bits: no second extraction is needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint64]

_CELLS = np.arange(128).reshape(4, 4, 8)
MIRRORED = _CELLS[::-1][:, :, -np.arange(8) % 8].ravel()
"""Descriptor places of the mirrored picture: cells change sides, directions run the other way."""
INVERTED = _CELLS[::-1, ::-1].ravel()
"""Descriptor places of the inverted picture: all directions turn by half, and with them the cells."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One way in which a reference may have become the upload."""

    name: str
    mirrored: bool
    inverted: bool


PASSES = (
    Pass("identity", mirrored=False, inverted=False),
    Pass("mirrored", mirrored=True, inverted=False),
    Pass("negative", mirrored=False, inverted=True),
    Pass("mirrored_negative", mirrored=True, inverted=True),
)


def permuted(codes: Codes, turned: Pass) -> Codes:
    """The codes as they would be in the picture turned back."""
    cells = codes.view(np.uint8).reshape(-1, 4, 4)  # a byte holds a cell's eight directions
    if turned.inverted:
        cells = cells[:, ::-1, ::-1]
    if turned.mirrored:
        cells = _REVERSED_DIRECTIONS[cells[:, ::-1]]
    return np.ascontiguousarray(cells).reshape(-1, 16).view(np.uint64)


def _reversed_directions() -> NDArray[np.uint8]:
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
    return np.packbits(bits[:, -np.arange(8) % 8], axis=1, bitorder="little").ravel()


_REVERSED_DIRECTIONS = _reversed_directions()


def symmetric(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """128 values averaged over the group of both symmetries, so that thresholding commutes with `permuted`."""
    once = (values + values[MIRRORED]) / 2
    return np.asarray((once + once[INVERTED]) / 2, np.float32)


def closed(base: Codes) -> Codes:
    """The codes and their images under each pass: row `pass * len(base) + i` holds what pass makes of base i."""
    return np.concatenate([permuted(base, turned) for turned in PASSES])
