"""Luma to the two small grids that the hashes are taken from, as banded matrix products.

Both resamplings are linear and separable, so one product over the columns serves both. On a picture reduced by a power
of two the full-size weights are summed over each reduced pixel: that stays within a few bits of hashing the full size.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.float32]

BOX = 64
LANCZOS = 32


# Samples ordered by where they lie, two box samples to one of Lanczos: so each block of pixels meets neighbours only.
_BOX_AT = np.flatnonzero(np.arange(BOX + LANCZOS) % 3 != 2)
_LANCZOS_AT = np.flatnonzero(np.arange(BOX + LANCZOS) % 3 == 2)
_BLOCKS = 6


@dataclass(frozen=True, slots=True)
class Grids:
    """PDQ's twice box-filtered 64 x 64 and the Lanczos-resampled 32 x 32, rounded as 8-bit resampling rounds."""

    box: Grid
    lanczos: Grid


def grids(luma: NDArray[np.uint8], full_width: int, full_height: int, scale: int = 1) -> Grids:
    """The grids of luma [H, W], reduced by `scale` from a picture of `full_height` x `full_width`."""
    rows = _weights(full_height, scale)
    values: Grid = luma.astype(np.float32)
    across = np.zeros((len(luma), BOX + LANCZOS), np.float32)
    for block in _blocks(full_width, scale):
        across[:, block.samples] += values[:, block.pixels] @ block.weights
    box = values if _is_box(full_width, full_height, scale) else rows[:BOX] @ across[:, _BOX_AT]
    return Grids(np.asarray(box, np.float32), _rounded(rows[BOX:] @ _rounded(across[:, _LANCZOS_AT])))


def _is_box(full_width: int, full_height: int, scale: int) -> bool:
    return (full_width, full_height, scale) == (BOX, BOX, 1)  # PDQ does not blur what has its size already


def _rounded(values: Grid) -> Grid:
    # Pillow resamples along rows first and keeps whole numbers in between.
    return np.clip(np.rint(values), 0, 255)


@dataclass(frozen=True, slots=True)
class _Block:
    pixels: slice
    samples: slice
    weights: Grid


@lru_cache(maxsize=64)
def _blocks(length: int, scale: int) -> tuple[_Block, ...]:
    """The weights cut into blocks of pixels, each with the samples it reaches: a third of the whole product's work."""
    ordered = np.empty_like(_weights(length, scale))
    ordered[_BOX_AT], ordered[_LANCZOS_AT] = _weights(length, scale)[:BOX], _weights(length, scale)[BOX:]
    edges = np.linspace(0, ordered.shape[1], min(_BLOCKS, ordered.shape[1]) + 1).astype(int)
    return tuple(_block(ordered, int(start), int(stop)) for start, stop in pairwise(edges))


def _block(ordered: Grid, start: int, stop: int) -> _Block:
    reached = np.flatnonzero(ordered[:, start:stop].any(axis=1))
    samples = slice(int(reached[0]), int(reached[-1]) + 1) if len(reached) else slice(0, 0)
    return _Block(slice(start, stop), samples, np.ascontiguousarray(ordered[samples, start:stop].T))


@lru_cache(maxsize=64)
def _weights(length: int, scale: int) -> Grid:
    """[64 + 32, ceil(length / scale)]: the weights of each sample, summed over blocks of `scale` pixels."""
    full = np.concatenate([_box_weights(length), _lanczos_weights(length)])
    blocks = np.arange(0, length, scale)
    return np.ascontiguousarray(np.add.reduceat(full, blocks, axis=1) if scale > 1 else full, dtype=np.float32)


def _box_weights(length: int) -> NDArray[np.float64]:
    """[64, length]: two box passes whose windows shrink at the edges, then every (length / 64)-th sample."""
    window = (length + 2 * BOX - 1) // (2 * BOX)
    ahead = (window + 2) // 2
    at = np.arange(length)
    stop, start = np.minimum(at + ahead, length), np.maximum(at + ahead - window, 0)
    inverse = 1 / (stop - start)
    centres = ((np.arange(BOX) + 0.5) * length / BOX).astype(int)
    steps = np.zeros((BOX, length + 1))  # each first-pass box is a step up and a step down
    for row, centre in enumerate(centres):
        boxes = slice(start[centre], stop[centre])
        weight = inverse[boxes] * inverse[centre]
        np.add.at(steps[row], start[boxes], weight)
        np.add.at(steps[row], stop[boxes], -weight)
    return np.asarray(np.cumsum(steps, axis=1)[:, :length])


def _lanczos_weights(length: int) -> NDArray[np.float64]:
    """[32, length]: Pillow's Lanczos with three lobes, widened by the reduction."""
    ratio = length / LANCZOS
    stretch = max(ratio, 1.0)
    centres = (np.arange(LANCZOS) + 0.5) * ratio
    first = np.maximum((centres - 3 * stretch + 0.5).astype(int), 0)[:, None]
    last = np.minimum((centres + 3 * stretch + 0.5).astype(int), length)[:, None]
    at = np.arange(length)[None, :]
    offset = (at - centres[:, None] + 0.5) / stretch
    weights = np.where((at >= first) & (at < last) & (np.abs(offset) < 3), np.sinc(offset) * np.sinc(offset / 3), 0.0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
