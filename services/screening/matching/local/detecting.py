"""Keypoints: extrema of the difference of Gaussians over place and scale, refined below the pixel (after Lowe 2004)."""

# ruff: noqa: PLR0917  compiled functions take their arguments by position
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.screening.matching.bits import trailing_zeros
from services.screening.matching.kernels import Scalar, kernel
from services.screening.matching.local.lanes import extrema
from services.screening.matching.local.scales import BASE_SIGMA, LAYERS

Pixels = NDArray[np.float32]
Table = NDArray[np.int64]

# Columns of a keypoint: x, y, sigma in the working picture, response, x, y, sigma in its level, level, sign.
X, Y, SIGMA, RESPONSE, LEVEL_X, LEVEL_Y, LEVEL_SIGMA, LEVEL, SIGN = range(9)
COLUMNS = 9
# Columns of the table of levels.
OFFSET, HEIGHT, WIDTH = range(3)
BORDER = 4
EDGE = np.float32(10)
_ONE = np.uint64(1)
_ADMITTED = np.float32(0.7)  # refinement raises an extremum: this share of the contrast admits it
_HALF, _QUARTER, _TWO, _UNIT = np.float32(0.5), np.float32(0.25), np.float32(2), np.float32(1)
_SCALE_STEP = np.float32(0.7)


@kernel("boolean(f4[::1], f4[::1], f4[::1], f4[::1], i8, i8)")
def _tops_other_scales(first: Pixels, second: Pixels, third: Pixels, fourth: Pixels, at: Scalar, width: Scalar) -> bool:
    """Whether third - second at `at` is an extremum against the nine differences on either side in scale."""
    value = third[at] - second[at]
    for row in (-width, 0, width):
        for place in range(at + row - 1, at + row + 2):
            below = second[place] - first[place]
            above = fourth[place] - third[place]
            if value > 0:
                if below > value or above > value:
                    return False
            elif below < value or above < value:
                return False
    return True


@kernel("boolean(f4[::1], f4[::1], f4[::1], f4[::1], i8, i8, f4, f4[::1])")
def _refine(
    first: Pixels,
    second: Pixels,
    third: Pixels,
    fourth: Pixels,
    at: Scalar,
    width: Scalar,
    contrast: Scalar,
    out: Pixels,
) -> bool:
    """Fits a parabola: steps in x, y and scale and the response into `out`; False on edges and weak places."""
    value = third[at] - second[at]
    left, right = third[at - 1] - second[at - 1], third[at + 1] - second[at + 1]
    up, down = third[at - width] - second[at - width], third[at + width] - second[at + width]
    below, above = second[at] - first[at], fourth[at] - third[at]
    low, high = at - width, at + width
    xy = _QUARTER * (
        (third[high + 1] - second[high + 1])
        - (third[high - 1] - second[high - 1])
        - (third[low + 1] - second[low + 1])
        + (third[low - 1] - second[low - 1])
    )
    xx, yy, ss = right + left - _TWO * value, down + up - _TWO * value, above + below - _TWO * value
    dx, dy, ds = _HALF * (right - left), _HALF * (down - up), _HALF * (above - below)
    trace, determinant = xx + yy, xx * yy - xy * xy
    if determinant <= 0 or trace * trace * EDGE >= (EDGE + _UNIT) * (EDGE + _UNIT) * determinant:
        return False
    out[0] = min(_UNIT, max(-_UNIT, -(yy * dx - xy * dy) / determinant))
    out[1] = min(_UNIT, max(-_UNIT, -(xx * dy - xy * dx) / determinant))
    out[2] = min(_SCALE_STEP, max(-_SCALE_STEP, -ds / ss)) if ss != 0 else np.float32(0)
    out[3] = value + _HALF * (dx * out[0] + dy * out[1] + ds * out[2])
    return bool(abs(out[3]) >= contrast)


@kernel("void(f4[::1], f4[::1], i8, i8, i8, f4, f4)")
def _write(out: Pixels, step: Pixels, x: Scalar, y: Scalar, level: Scalar, enlarge: Scalar, sigma: Scalar) -> None:
    out[LEVEL_X], out[LEVEL_Y], out[LEVEL_SIGMA] = x + step[0], y + step[1], sigma
    out[X], out[Y], out[SIGMA] = (x + step[0]) * enlarge, (y + step[1]) * enlarge, sigma * enlarge
    out[RESPONSE], out[SIGN], out[LEVEL] = abs(step[3]), 1 if step[3] > 0 else -1, level


@kernel("i8(f4[::1], i8[:, ::1], i8, f4, f4, f4, f4, f4[:, ::1], i8)")
def _detect_in_level(
    pyramid: Pixels,
    levels: Table,
    level: Scalar,
    sigma: Scalar,
    ratio: Scalar,
    enlarge: Scalar,
    contrast: Scalar,
    out: Pixels,
    found: Scalar,
) -> Scalar:
    """Appends one level's keypoints to `out` from row `found` on; `ratio` between the sigmas of two levels."""
    width, right = levels[level, WIDTH], levels[level, WIDTH] - BORDER
    first, second = pyramid[levels[level - 1, OFFSET] :], pyramid[levels[level, OFFSET] :]
    third, fourth = pyramid[levels[level + 1, OFFSET] :], pyramid[levels[level + 2, OFFSET] :]
    step = np.empty(4, np.float32)
    for y in range(BORDER, levels[level, HEIGHT] - BORDER):
        for start in range(BORDER, right, 16):
            mask = extrema(second, third, y * width + start, width, _ADMITTED * contrast)
            while mask:
                x = start + np.int64(trailing_zeros(mask))
                mask &= mask - _ONE
                at = y * width + x
                if x >= right or found >= len(out):
                    break
                if not _tops_other_scales(first, second, third, fourth, at, width):
                    continue
                if _refine(first, second, third, fourth, at, width, contrast, step):
                    _write(out[found], step, x, y, level, enlarge, sigma * ratio ** step[2])
                    found += 1
    return found


@kernel("i8(f4[::1], i8[:, ::1], f4, f4[:, ::1])")
def detect(pyramid: Pixels, levels: Table, contrast: Scalar, out: Pixels) -> Scalar:
    """Fills `out` [room, 9] with the keypoints of all octaves; returns how many."""
    group, found = LAYERS + 3, 0
    ratio = np.float32(2.0 ** (1.0 / LAYERS))
    for octave in range(len(levels) // group):
        for layer in range(1, LAYERS + 1):
            level = octave * group + layer
            own = np.float32(BASE_SIGMA * ratio**layer)
            found = _detect_in_level(pyramid, levels, level, own, ratio, np.float32(2.0**octave), contrast, out, found)
    return found
