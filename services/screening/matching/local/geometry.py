"""What a verified map means for a person: outlines on both pictures, shares, and the transform in words."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Corner = tuple[float, float]
Region = tuple[Corner, Corner, Corner, Corner]
Doubles = NDArray[np.float64]

# By (mirrored, quarter turns counter-clockwise): named by what was done to the reference, as whole-picture hashes do.
_QUARTERS = {
    (False, 0): "identity", (False, 1): "rotate_90", (False, 2): "rotate_180", (False, 3): "rotate_270",
    (True, 0): "mirrored", (True, 1): "transversed", (True, 2): "flipped", (True, 3): "transposed",
}  # fmt: skip
_SMALL_TURN = 3  # degrees


def corners(left: float, top: float, right: float, bottom: float) -> Doubles:
    """[4, 2], clockwise from the top left."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def mapped(affine: Doubles, points: Doubles) -> Doubles:
    """Points [n, 2] of the reference on the query; `affine`: six numbers by rows."""
    rows = affine.reshape(2, 3)
    return np.asarray(points @ rows[:, :2].T + rows[:, 2])


def region(points: Doubles, extent: tuple[float, float]) -> Region:
    """Corners as fractions of width and height."""
    one, two, three, four = ((round(float(x), 4), round(float(y), 4)) for x, y in points / extent)
    return one, two, three, four


def area(points: Doubles) -> float:
    """Of a simple polygon [n, 2]."""
    x, y = points[:, 0], points[:, 1]
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def clipped_area(points: Doubles, extent: tuple[float, float]) -> float:
    """Area of what lies within width x height (Sutherland and Hodgman)."""
    kept = [tuple(point) for point in points.tolist()]
    for axis, bound, sign in ((0, 0.0, 1), (0, extent[0], -1), (1, 0.0, 1), (1, extent[1], -1)):
        kept = _clip(kept, axis, bound, sign)
    return area(np.array(kept)) if len(kept) > 2 else 0.0


def _clip(points: list[tuple[float, ...]], axis: int, bound: float, sign: int) -> list[tuple[float, ...]]:
    kept: list[tuple[float, ...]] = []
    for start, end in zip(points, points[1:] + points[:1], strict=True):
        before, after = sign * (start[axis] - bound), sign * (end[axis] - bound)
        if before >= 0:
            kept.append(start)
        if before * after < 0:
            share = before / (before - after)
            kept.append(tuple(a + share * (b - a) for a, b in zip(start, end, strict=True)))
    return kept


def words(affine: Doubles, *, mirrored: bool, inverted: bool) -> str:
    """The transform that made the upload's copy: `mirrored`, `rotate_90_negative`, `mirrored_turned_12` (degrees)."""
    degrees = -math.degrees(math.atan2(affine[3] - affine[1], affine[0] + affine[4]))
    if mirrored:  # the map leads to the query turned back: what turned it there turns the other way in the upload
        degrees = -degrees
    quarters = round(degrees / 90) % 4
    if abs(degrees - round(degrees / 90) * 90) <= _SMALL_TURN:
        name = _QUARTERS[mirrored, quarters]
    else:
        name = f"{'mirrored_' if mirrored else ''}turned_{round(degrees) % 360}"
    return name if not inverted else "negative" if name == "identity" else f"{name}_negative"
