"""From luma to local features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.screening.matching import kernels
from services.screening.matching.local import vocabulary
from services.screening.matching.local.features import Features

Role = Literal["reference", "query"]
Floats = NDArray[np.float32]

_MOST_KEYPOINTS = 16_000
_CONTRAST = 1.5  # of 255
_GRID = 8
_CELL_SPACING = 4.0  # sigmas a cell of the descriptor
_COARSE_BONUS = 0.5  # keypoints are ranked by response * sigma ** bonus


@dataclass(frozen=True, slots=True)
class Recipe:
    """Long side of the working picture, keypoints kept, and features at most (a keypoint may have two directions)."""

    long_side: int
    keypoints: int
    features: int


RECIPES: dict[Role, Recipe] = {"reference": Recipe(512, 500, 500), "query": Recipe(768, 1500, 1875)}


def extract_features(luma: NDArray[np.uint8], role: Role) -> Features:
    """Local features of uint8 luma [H, W]: the fewer of a reference are kept, the more of a query are looked up."""
    features, descriptors, extent = describe_picture(luma, RECIPES[role])
    codes = encode(descriptors)
    order = np.argsort(-features[:, 4], kind="stable")  # positive ones first
    longest = max(extent)
    points = features[order, :4]
    points[:, :3] /= longest
    positive = int((features[:, 4] > 0).sum())
    return Features(codes[order], points, positive, (extent[0] / longest, extent[1] / longest))


def describe_picture(luma: NDArray[np.uint8], recipe: Recipe) -> tuple[Floats, Floats, tuple[int, int]]:
    """Features [n, 5] in pixels of the working picture, descriptors [n, 128], and its width and height."""
    from services.screening.matching.local import pyramid  # loads OpenCV, which searching does not need

    picture = pyramid.working_picture(luma, recipe.long_side)
    built = pyramid.build(picture)
    keypoints = _strongest(_detect(built.pixels, built.levels), recipe.keypoints, max(picture.shape))
    features = np.empty((recipe.features, 5), np.float32)
    descriptors = np.empty((recipe.features, 128), np.float32)
    describing = kernels.load("local.describing")
    count = describing.describe(
        built.pixels, built.levels, keypoints, describing.WINDOWS, np.float32(_CELL_SPACING), features, descriptors
    )
    return features[:count], descriptors[:count], (picture.shape[1], picture.shape[0])


def encode(descriptors: Floats) -> NDArray[np.uint64]:
    """128 bits a descriptor: which values exceed the median of that place."""
    bits = np.packbits(descriptors > vocabulary.medians(), axis=1, bitorder="little")
    return np.ascontiguousarray(bits).view(np.uint64).reshape(-1, 2)


def _detect(pixels: Floats, levels: NDArray[np.int64]) -> Floats:
    room = np.empty((_MOST_KEYPOINTS, 9), np.float32)
    found = kernels.load("local.detecting").detect(pixels, levels, np.float32(_CONTRAST), room)
    return room[:found]


def _strongest(keypoints: Floats, count: int, long_side: int) -> Floats:
    """At most `count`, in turn the strongest left in each cell of a grid, so that all of the picture is covered."""
    ranked = keypoints[np.argsort(-keypoints[:, 3] * keypoints[:, 2] ** np.float32(_COARSE_BONUS), kind="stable")]
    if len(ranked) <= count:
        return ranked
    columns, rows = (np.minimum(ranked[:, axis] * (_GRID / long_side), _GRID - 1).astype(np.int64) for axis in (0, 1))
    cell = rows * _GRID + columns
    by_cell = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[by_cell], np.arange(_GRID * _GRID))
    turn = np.empty(len(ranked), np.int64)
    turn[by_cell] = np.arange(len(ranked)) - starts[cell[by_cell]]
    return np.ascontiguousarray(ranked[np.sort(np.argsort(turn, kind="stable")[:count])])
