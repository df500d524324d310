"""Local features as values: 128-bit codes with place, size, direction and sign, and their form as bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

VERSION = 1
"""Raised whenever extraction or coding changes: features of different versions are not comparable."""

_MAGIC = b"CFLF"
_HEAD = struct.Struct("<4sHHIHH")  # magic, version, count, of positive sign, width, height in 1/65535 of the long side
_BYTES_EACH = 22
_MOST = 4096
_FULL = 65535
_SIZE_STEPS = 16.0  # an octave of size in steps of a byte
_SMALLEST = 1 / 4096
_TURN = 2 * np.pi


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """`codes` uint64 [n, 2]; `points` float32 [n, 4]: x, y, size (fractions of the long side), direction in radians.

    The first `positive` features are brighter than what is around them, the others darker; both the strongest first.
    `extent`: width and height as fractions of the long side.
    """

    codes: NDArray[np.uint64]
    points: NDArray[np.float32]
    positive: int
    extent: tuple[float, float]

    def __len__(self) -> int:
        return len(self.codes)

    def stronger_half(self) -> NDArray[np.int64]:
        """Places of the stronger half of the bright features and of the dark ones."""
        dark = len(self) - self.positive
        bright = np.arange((self.positive + 1) // 2)
        return np.concatenate([bright, self.positive + np.arange((dark + 1) // 2)])

    def take(self, which: NDArray[np.int64]) -> Features:
        """The features at some places, given in rising order."""
        positive = int((which < self.positive).sum())
        return Features(self.codes[which], self.points[which], positive, self.extent)

    def to_bytes(self) -> bytes:
        """16 + 22 n bytes: head, codes, places, sizes, directions. Rounds places to 1/65535."""
        width, height = (round(side * _FULL) for side in self.extent)
        head = _HEAD.pack(_MAGIC, VERSION, len(self), self.positive, width, height)
        places = np.rint(np.clip(self.points[:, :2], 0, 1) * _FULL).astype("<u2")
        sizes = np.rint(np.log2(np.maximum(self.points[:, 2], _SMALLEST) / _SMALLEST) * _SIZE_STEPS)
        turns = np.rint(self.points[:, 3] % _TURN * (256 / _TURN)).astype(np.int64) % 256
        parts = (self.codes.astype("<u8"), places, np.clip(sizes, 0, 255).astype("u1"), turns.astype("u1"))
        return head + b"".join(part.tobytes() for part in parts)

    @classmethod
    def from_bytes(cls, data: bytes) -> Features:
        """The inverse of `to_bytes`. Raises ValueError for anything that is not its product, or another version."""
        if len(data) < _HEAD.size or data[:4] != _MAGIC:
            raise ValueError("features: these are no local features; extract them again")
        _, version, count, positive, width, height = _HEAD.unpack_from(data)
        if version != VERSION:
            raise ValueError(f"features: version {version}, this engine reads {VERSION}; extract them again")
        if (
            count > _MOST
            or positive > count
            or not width
            or not height
            or len(data) != _HEAD.size + count * _BYTES_EACH
        ):
            raise ValueError("features: damaged; extract them again")
        return cls(*_arrays(data, count), positive, (width / _FULL, height / _FULL))


def _arrays(data: bytes, count: int) -> tuple[NDArray[np.uint64], NDArray[np.float32]]:
    at = _HEAD.size

    def take(kind: str, each: int) -> NDArray[Any]:
        nonlocal at
        values = np.frombuffer(data, kind, count * each, at)
        at += values.nbytes
        return values

    codes = take("<u8", 2).reshape(count, 2).astype(np.uint64)
    points = np.empty((count, 4), np.float32)
    points[:, :2] = take("<u2", 2).reshape(count, 2) / _FULL
    points[:, 2] = _SMALLEST * np.exp2(take("u1", 1) / _SIZE_STEPS)
    points[:, 3] = take("u1", 1) * (_TURN / 256)
    return codes, points
