"""The working picture and its Gaussian pyramid, without doubling: the finest scales cost most and match by chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.screening.matching.local.scales import BASE_SIGMA, LAYERS

cv2.setNumThreads(1)

_CAMERA_SIGMA = 0.5  # the blur that a picture is taken to have already
_OCTAVES = 5
_GROUP = LAYERS + 3
_LEAST_SIDE = 16
_PADDING = 64


@dataclass(frozen=True, slots=True)
class Pyramid:
    """All levels in one float32 array; `levels` [n, 3]: offset, height, width, five levels an octave."""

    pixels: NDArray[np.float32]
    levels: NDArray[np.int64]


def working_picture(luma: NDArray[np.uint8], long_side: int) -> NDArray[np.uint8]:
    """The picture reduced to `long_side`, never enlarged, halved by exact means as long as that is possible."""
    factor = long_side / max(luma.shape)
    if factor > 0.98:
        return luma
    while factor <= 0.5:
        luma = np.asarray(cv2.resize(luma, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        factor = long_side / max(luma.shape)
    if factor > 0.98:
        return luma
    return np.asarray(cv2.resize(luma, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR), np.uint8)


def build(picture: NDArray[np.uint8]) -> Pyramid:
    """The pyramid of a uint8 picture."""
    levels = _table(*picture.shape)
    pixels = np.empty(int((levels[:, 1] * levels[:, 2]).sum()) + _PADDING, np.float32)
    pixels[-_PADDING:] = 0
    views = [pixels[at : at + height * width].reshape(height, width) for at, height, width in levels.tolist()]
    _blur(picture.astype(np.float32), math.sqrt(BASE_SIGMA**2 - _CAMERA_SIGMA**2), views[0])
    for first in range(0, len(views), _GROUP):
        if first:
            views[first][:] = views[first - 3][::2, ::2]  # two octave steps of blur: sigma has doubled there
        for layer in range(1, _GROUP):
            _blur(views[first + layer - 1], _step(layer), views[first + layer])
    return Pyramid(pixels, levels)


def _step(layer: int) -> float:
    """The blur from one level to the next: sigmas add by squares."""
    finer, coarser = (BASE_SIGMA * 2 ** (number / LAYERS) for number in (layer - 1, layer))
    return math.sqrt(coarser**2 - finer**2)


def _blur(source: NDArray[np.float32], sigma: float, target: NDArray[np.float32]) -> None:
    side = 2 * math.ceil(2.7 * sigma) + 1
    cv2.GaussianBlur(source, (side, side), sigma, dst=target)


def _table(height: int, width: int) -> NDArray[np.int64]:
    rows, offset = [], 0
    for octave in range(_OCTAVES):
        if octave and min(height, width) < _LEAST_SIDE:
            break
        for _ in range(_GROUP):
            rows.append((offset, height, width))
            offset += height * width
        height, width = (height + 1) // 2, (width + 1) // 2
    return np.array(rows, np.int64)
