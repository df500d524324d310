"""PDQ (Meta's 256-bit perceptual hash): the DCT's 16 x 16 low frequencies of a 64 x 64 grid against their median.

All of it but the median is linear, so the eight orientations and the negative come from signs and a transpose.
Method: "The TMK+PDQF video-hashing algorithm and the PDQ image-hashing algorithm", Facebook 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from services.screening.fingerprint.grids import BOX, Grid
from services.screening.fingerprint.model import Variant

Coefficients = NDArray[np.float32]
Bits = NDArray[np.uint8]

BITS = 256
_KEPT = 16

# Named by what was done to the reference to make the upload; quarter turns are counter-clockwise, as in Pillow.
TRANSFORMS = (
    "identity", "rotate_90", "rotate_180", "rotate_270", "mirrored", "flipped", "transposed", "transversed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The 16 x 16 coefficients that the hash thresholds, and the quality 0 to 100 (below 50: too little detail)."""

    coefficients: Coefficients
    quality: int


def spectrum(grid: Grid) -> Spectrum:
    """The spectrum of the 64 x 64 grid."""
    cosines = _cosines()
    return Spectrum(np.asarray((cosines @ grid) @ cosines.T, np.float32), _quality(grid))


def variants(coefficients: Coefficients) -> tuple[Variant, ...]:
    """All 16 hashes to look up: 8 orientations, each plain and inverted; the first is the picture's own."""
    plain = [(name, _bits(turned)) for name, turned in _orientations(coefficients).items()]
    upright = tuple(Variant(name, False, to_hex(bits)) for name, bits in plain)
    # Inverting tones negates every coefficient, which complements each comparison with the median.
    return upright + tuple(Variant(name, True, to_hex(~bits)) for name, bits in plain)


def to_hex(packed: Bits) -> str:
    """64 lower-case hex digits of 32 packed bytes."""
    return packed.tobytes().hex()


def distance(one: str, other: str) -> int:
    """Differing bits of two hashes in hex."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _orientations(b: Coefficients) -> dict[str, Coefficients]:
    """Coefficients of the upload turned back, by the transform that is undone.

    Mirroring an axis negates its odd frequencies; index 0 here is frequency 1, DC being left out.
    """
    sign = np.where(np.arange(_KEPT) % 2 == 0, -1, 1).astype(np.float32)
    rows, columns = sign[:, None], sign[None, :]
    mirrored, flipped = b * columns, b * rows
    turned = (b, flipped.T, flipped * columns, mirrored.T, mirrored, flipped, b.T, (flipped * columns).T)
    return dict(zip(TRANSFORMS, turned, strict=True))


def _bits(coefficients: Coefficients) -> Bits:
    flat = coefficients.ravel()
    # PDQ numbers bits from the least significant end and takes the lower median.
    return np.packbits((flat > np.partition(flat, BITS // 2 - 1)[BITS // 2 - 1])[::-1])


def _quality(grid: Grid) -> int:
    steps = (np.abs(np.trunc(np.diff(grid, axis=axis) * np.float32(100 / 255))).sum() for axis in (0, 1))
    return min(100, int(sum(float(step) for step in steps)) // 90)


@lru_cache(maxsize=1)
def _cosines() -> Coefficients:
    rows, columns = np.arange(1, _KEPT + 1)[:, None], np.arange(BOX)[None, :]
    return np.asarray(np.sqrt(2 / BOX) * np.cos(np.pi / (2 * BOX) * rows * (2 * columns + 1)), np.float32)
