"""PDQ (Meta's 256-bit perceptual hash) as two small matrix products.

Up to its median PDQ is linear: two box passes and the decimation to 64 x 64 are one banded matrix a side, the DCT's
16 x 16 low frequencies another. On a picture reduced by a power of two the full-size filter is summed over each
reduced pixel, which stays within a few bits of hashing the full size.
Method: "The TMK+PDQF video-hashing algorithm and the PDQ image-hashing algorithm", Facebook 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from services.screening.fingerprint.model import Variant

Coefficients = NDArray[np.float32]
Bits = NDArray[np.uint8]

BITS = 256
_GRID = 64
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


def spectrum(luma: NDArray[np.uint8], full_width: int, full_height: int, scale: int = 1) -> Spectrum:
    """The spectrum of luma [H, W], reduced by `scale` from a picture of `full_height` x `full_width`."""
    small: Coefficients = luma.astype(np.float32)
    if (full_height, full_width, scale) != (_GRID, _GRID, 1):
        small = np.asarray((_shrinker(full_height, scale) @ small) @ _shrinker(full_width, scale).T, np.float32)
    cosines = _cosines()
    return Spectrum(np.asarray((cosines @ small) @ cosines.T, np.float32), _quality(small))


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


def _quality(small: NDArray[np.float32]) -> int:
    steps = (np.abs(np.trunc(np.diff(small, axis=axis) * np.float32(100 / 255))).sum() for axis in (0, 1))
    return min(100, int(sum(float(step) for step in steps)) // 90)


@lru_cache(maxsize=1)
def _cosines() -> Coefficients:
    rows, columns = np.arange(1, _KEPT + 1)[:, None], np.arange(_GRID)[None, :]
    return np.asarray(np.sqrt(2 / _GRID) * np.cos(np.pi / (2 * _GRID) * rows * (2 * columns + 1)), np.float32)


@lru_cache(maxsize=256)
def _shrinker(length: int, scale: int) -> Coefficients:
    """[64, ceil(length / scale)]: blur, decimate, and sum over each block of `scale` pixels."""
    return np.ascontiguousarray(summed(_filter(length), scale), dtype=np.float32)


def summed(weights: NDArray[np.float64], scale: int) -> NDArray[np.float64]:
    """Weights [n, length] over pixels, summed into weights over blocks of `scale` pixels (the last may be short)."""
    starts = np.arange(0, weights.shape[1], scale)
    return weights if scale == 1 else np.add.reduceat(weights, starts, axis=1)


def _filter(length: int) -> NDArray[np.float64]:
    """[64, length]: two box passes whose windows shrink at the edges, then every (length / 64)-th sample."""
    window = (length + 2 * _GRID - 1) // (2 * _GRID)
    ahead = (window + 2) // 2
    at = np.arange(length)
    stop, start = np.minimum(at + ahead, length), np.maximum(at + ahead - window, 0)
    inverse = 1 / (stop - start)
    centres = ((np.arange(_GRID) + 0.5) * length / _GRID).astype(int)
    steps = np.zeros((_GRID, length + 1))  # each first-pass box is a step up and a step down
    for row, centre in enumerate(centres):
        boxes = slice(start[centre], stop[centre])
        weight = inverse[boxes] * inverse[centre]
        np.add.at(steps[row], start[boxes], weight)
        np.add.at(steps[row], stop[boxes], -weight)
    return np.asarray(np.cumsum(steps, axis=1)[:, :length])
