"""Descriptors: a feature's own directions, and 4 x 4 cells of 8 gradient directions around it (after Lowe 2004)."""

# ruff: noqa: PLR0917  compiled functions take their arguments by position
from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from services.screening.matching.kernels import Scalar, kernel
from services.screening.matching.local.detecting import (
    HEIGHT,
    LEVEL,
    LEVEL_SIGMA,
    LEVEL_X,
    LEVEL_Y,
    OFFSET,
    SIGMA,
    SIGN,
    WIDTH,
    Pixels,
    Table,
    X,
    Y,
)
from services.screening.matching.local.lanes import pooling

ROWS = 14  # gradients a side, from 16 x 16 samples
DIRECTIONS = 36
MOST_DIRECTIONS = 2
DIRECTION_SPACING = np.float32(0.75)  # sigmas between the samples for directions
PEAK = np.float32(0.8)  # a second direction this strong makes a second feature
SIZE = 128
# Columns of a described feature.
FEATURE_X, FEATURE_Y, FEATURE_SIGMA, FEATURE_ANGLE, FEATURE_SIGN = range(5)
FEATURE_COLUMNS = 5
_TURN = np.float32(2 * math.pi)
_HALF_TURN, _QUARTER_TURN = np.float32(math.pi), np.float32(math.pi / 2)
_ZERO, _ONE = np.float32(0), np.float32(1)


def _window(sigma: float) -> NDArray[np.float32]:
    """Weights of the gradients, in rows of 16 lanes of which two are empty."""
    place = np.arange(ROWS) - (ROWS - 1) / 2
    window = np.zeros((ROWS, 16), np.float32)
    window[:, :ROWS] = np.exp(-(place[:, None] ** 2 + place**2) / (2 * sigma**2))
    return window.ravel()


def _cell_weights() -> NDArray[np.float32]:
    place = (np.arange(ROWS) - (ROWS - 1) / 2) / (ROWS / 4)
    weights = np.zeros((4, 16), np.float32)
    weights[:, :ROWS] = np.maximum(0, 1 - np.abs((np.arange(4) - 1.5)[:, None] - place))
    return weights


_pool = pooling(_cell_weights(), ROWS)
WINDOWS = np.stack([_window(1.5 / float(DIRECTION_SPACING)), _window(ROWS / 2)])
"""Weights of the gradients [2, 224]: for the directions, for the cells."""


@kernel("void(f4[::1], f4[::1], f4, f4[::1], f4[::1])")
def _gradients(samples: Pixels, window: Pixels, units: Scalar, turns: Pixels, strengths: Pixels) -> None:
    """Direction (in `units` a turn) and weighted strength at each inner sample; the arc tangent within 0.0003."""
    scale = np.float32(units / _TURN)
    for k in range(ROWS * 16):
        across, down = samples[k + 18] - samples[k + 16], samples[k + 33] - samples[k + 1]
        wide, high = abs(across), abs(down)
        ratio = min(wide, high) / (max(wide, high) + np.float32(1e-6))
        square = ratio * ratio
        angle = (np.float32(-0.0464964749) * square + np.float32(0.15931422)) * square - np.float32(0.327622764)
        angle = angle * square * ratio + ratio
        angle = _QUARTER_TURN - angle if high > wide else angle
        angle = _HALF_TURN - angle if across < _ZERO else angle
        angle = _TURN - angle if down < _ZERO else angle
        turns[k] = angle * scale
        strengths[k] = np.float32(math.sqrt(across * across + down * down)) * window[k]


@kernel("void(f4[::1], i8, i8, f4, f4, f4, f4, f4[::1])")
def _sample(
    image: Pixels, width: Scalar, height: Scalar, x: Scalar, y: Scalar, cosine: Scalar, sine: Scalar, out: Pixels
) -> None:
    """16 x 16 bilinear samples around (x, y) along the axes (cosine, sine) and (-sine, cosine)."""
    right, bottom, stride = np.float32(width - 1.001), np.float32(height - 1.001), np.uint32(width)
    left = x - (cosine - sine) * np.float32(7.5)
    top = y - (cosine + sine) * np.float32(7.5)
    for row in range(16):
        row_x, row_y = left - sine * np.float32(row), top + cosine * np.float32(row)
        for column in range(16):
            place_x = min(max(row_x + cosine * np.float32(column), _ZERO), right)
            place_y = min(max(row_y + sine * np.float32(column), _ZERO), bottom)
            whole_x, whole_y = np.int32(place_x), np.int32(place_y)
            part_x, part_y = place_x - np.float32(whole_x), place_y - np.float32(whole_y)
            at = np.uint32(whole_y) * stride + np.uint32(whole_x)
            one, two = image[at], image[at + np.uint32(1)]
            three, four = image[at + stride], image[at + stride + np.uint32(1)]
            upper, lower = one + part_x * (two - one), three + part_x * (four - three)
            out[row * 16 + column] = upper + part_y * (lower - upper)


@kernel("void(f4[::1], i8, i8, f4, f4, f4, f4[::1], i4[::1])")
def _sample_upright(
    image: Pixels,
    width: Scalar,
    height: Scalar,
    x: Scalar,
    y: Scalar,
    spacing: Scalar,
    out: Pixels,
    columns: NDArray[np.int32],
) -> None:
    """16 x 16 nearest samples around (x, y)."""
    for i in range(16):
        columns[i] = min(max(np.int32(x + (np.float32(i) - np.float32(7.5)) * spacing + np.float32(0.5)), 0), width - 1)
    for j in range(16):
        row = min(max(np.int32(y + (np.float32(j) - np.float32(7.5)) * spacing + np.float32(0.5)), 0), height - 1)
        for i in range(16):
            out[j * 16 + i] = image[np.uint32(row * width + columns[i])]


@kernel("void(f4[::1], f4[::1], f4[::1], f4[::1])")
def _direction_histogram(turns: Pixels, strengths: Pixels, raw: Pixels, smooth: Pixels) -> None:
    """36 directions smoothed by (1, 4, 6, 4, 1) / 16 into `smooth[1:37]`, with the neighbours at both ends."""
    raw[:] = 0
    for k in range(ROWS * 16):
        raw[2 + int(turns[k])] += strengths[k]
    raw[2] += raw[38]  # a full turn by rounding
    raw[0], raw[1], raw[38], raw[39] = raw[36], raw[37], raw[2], raw[3]
    for k in range(DIRECTIONS):
        outer, inner = raw[k] + raw[k + 4], raw[k + 1] + raw[k + 3]
        smooth[1 + k] = outer * np.float32(1 / 16) + inner * np.float32(0.25) + raw[k + 2] * np.float32(0.375)
    smooth[0], smooth[37] = smooth[36], smooth[1]


@kernel("i8(f4[::1], f4[::1])")
def _main_directions(smooth: Pixels, angles: Pixels) -> Scalar:
    """The strongest peaks by strength: angles into `angles`, returns how many (1 or 2)."""
    strongest = smooth[1:37].max()
    angles[0], heights0, heights1, count = _ZERO, _ZERO, _ZERO, 0
    for k in range(DIRECTIONS):
        left, here, right = smooth[k], smooth[k + 1], smooth[k + 2]
        if here <= left or here < right or here < PEAK * strongest:
            continue
        shift = np.float32(0.5) * (left - right) / (left - np.float32(2) * here + right)
        angle = (np.float32(k) + np.float32(0.5) + shift) * np.float32(_TURN / DIRECTIONS)
        if here > heights0:
            angles[1], heights1 = angles[0], heights0
            angles[0], heights0 = angle, here
        elif here > heights1:
            angles[1], heights1 = angle, here
        count = min(count + 1, MOST_DIRECTIONS)
    return max(count, 1)


@kernel("void(f4[::1])")
def _normalise(descriptor: Pixels) -> None:
    total = np.float32(1e-9)
    for k in range(SIZE):
        total += descriptor[k]
    for k in range(SIZE):
        descriptor[k] /= total


@kernel("i8(f4[::1], i8[:, ::1], f4[:, ::1], f4[:, ::1], f4, f4[:, ::1], f4[:, ::1])")
def describe(
    pyramid: Pixels,
    levels: Table,
    keypoints: Pixels,
    windows: Pixels,
    spacing: Scalar,
    features: Pixels,
    descriptors: Pixels,
) -> Scalar:
    """Fills `features` [room, 5] and `descriptors` [room, 128] (sum 1); cells are `spacing` sigmas wide."""
    samples, columns, count = np.zeros(272, np.float32), np.zeros(16, np.int32), 0
    turns, strengths = np.zeros(ROWS * 16, np.float32), np.zeros(ROWS * 16, np.float32)
    raw, smooth, angles = np.zeros(40, np.float32), np.zeros(38, np.float32), np.zeros(2, np.float32)
    for i in range(len(keypoints)):
        point = keypoints[i]
        level = int(point[LEVEL])
        image, width, height = pyramid[levels[level, OFFSET] :], levels[level, WIDTH], levels[level, HEIGHT]
        x, y, sigma = point[LEVEL_X], point[LEVEL_Y], point[LEVEL_SIGMA]
        _sample_upright(image, width, height, x, y, max(_ONE, DIRECTION_SPACING * sigma), samples, columns)
        _gradients(samples, windows[0], np.float32(DIRECTIONS), turns, strengths)
        _direction_histogram(turns, strengths, raw, smooth)
        step = spacing * sigma * np.float32(4 / ROWS)
        for k in range(_main_directions(smooth, angles)):
            if count >= len(features):
                return count
            cosine, sine = np.float32(math.cos(angles[k])) * step, np.float32(math.sin(angles[k])) * step
            _sample(image, width, height, x, y, cosine, sine, samples)
            _gradients(samples, windows[1], np.float32(8), turns, strengths)
            _pool(turns, strengths, descriptors[count])
            _normalise(descriptors[count])
            features[count, FEATURE_X], features[count, FEATURE_Y] = point[X], point[Y]
            features[count, FEATURE_SIGMA], features[count, FEATURE_ANGLE] = point[SIGMA], angles[k]
            features[count, FEATURE_SIGN] = point[SIGN]
            count += 1
    return count
