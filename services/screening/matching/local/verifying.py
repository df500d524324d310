"""Geometric verification: do the matches with one reference agree on where it lies? Deterministic, no sampling.

A match carries place, size and direction, hence a similarity: the best of up to 80 is refined to an affine map.
"""

# ruff: noqa: PLR0917  compiled functions take their arguments by position
from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from services.screening.matching.kernels import Scalar, kernel

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Flags = NDArray[np.bool_]
Matches = NDArray[np.int32]

# Columns of a result: the reference, what supports it, the inliers' box on it, the affine map to the query by rows.
REFERENCE, MATCHES, INLIERS, PLACES, WEIGHT, LEFT, TOP, RIGHT, BOTTOM, MAP = range(10)
COLUMNS = MAP + 6
_MOST = 2048
_HYPOTHESES = 80
_LEAST = 3
_FIRST_TOLERANCE = 0.08  # of the reference's long side
_TOLERANCES = (0.06, 0.04, 0.03, 0.03)
_SIZE_APART, _TURN_APART = 0.9, 0.555  # octaves and radians between a match and the hypothesis
_REFINED_SIZE_APART, _REFINED_TURN_APART = 1.0, 0.7227
_TURN = 2 * math.pi
_PULL = 0.002  # towards the similarity, so that few or collinear points give no wild map
_GRID = 250.0  # places nearer than 1/250 of the long side count once: windows and stripes fake many inliers


@kernel("f8(f8, f8)")
def _apart(one: Scalar, other: Scalar) -> Scalar:
    """Between two directions, in radians."""
    difference = abs(one - other) % _TURN
    return min(difference, _TURN - difference)


@kernel("f8(f8[::1], f4[::1], f4[::1])")
def _error(affine: Doubles, query: Floats, reference: Floats) -> Scalar:
    """Squared distance of the mapped reference point from the query point."""
    x = affine[0] * reference[0] + affine[1] * reference[1] + affine[2] - query[0]
    y = affine[3] * reference[0] + affine[4] * reference[1] + affine[5] - query[1]
    return x * x + y * y


@kernel("void(f4[::1], f4[::1], f8, f8, f8[::1])")
def _similarity(query: Floats, reference: Floats, scale: Scalar, turn: Scalar, out: Doubles) -> None:
    """The map from reference to query that one match implies."""
    a, b = scale * math.cos(turn), scale * math.sin(turn)
    out[0], out[1], out[2] = a, -b, query[0] - a * reference[0] + b * reference[1]
    out[3], out[4], out[5] = b, a, query[1] - b * reference[0] - a * reference[1]


@kernel("i8(f8[::1], f8, i8, f4[:, ::1], f4[:, ::1], f8[:, ::1], f8, f8, b1[::1])")
def _agreeing(
    affine: Doubles,
    tolerance: Scalar,
    hypothesis: Scalar,
    query: Floats,
    reference: Floats,
    relation: Doubles,
    size_apart: Scalar,
    turn_apart: Scalar,
    out: Flags,
) -> Scalar:
    """Marks the matches that the map brings within the squared tolerance; returns how many."""
    count = 0
    for i in range(len(query)):
        out[i] = (
            _error(affine, query[i], reference[i]) < tolerance
            and abs(relation[i, 0] - relation[hypothesis, 0]) < size_apart
            and _apart(relation[i, 1], relation[hypothesis, 1]) < turn_apart
        )
        count += out[i]
    return count


@kernel("i8(f4[:, ::1], f4[:, ::1], f4[::1], f8[:, ::1], f8[::1])")
def _best_hypothesis(query: Floats, reference: Floats, weights: Floats, relation: Doubles, affine: Doubles) -> Scalar:
    """The match whose similarity most weight agrees with."""
    best, most, inliers = 0, -1.0, np.empty(len(query), np.bool_)
    for hypothesis in np.argsort(-weights)[:_HYPOTHESES]:
        scale = 2.0 ** relation[hypothesis, 0]
        _similarity(query[hypothesis], reference[hypothesis], scale, relation[hypothesis, 1], affine)
        tolerance = (_FIRST_TOLERANCE * scale) ** 2
        _agreeing(affine, tolerance, hypothesis, query, reference, relation, _SIZE_APART, _TURN_APART, inliers)
        weight = 0.0
        for i in range(len(query)):
            weight += weights[i] * inliers[i]
        if weight > most:
            best, most = hypothesis, weight
    return best


@kernel("void(f4[:, ::1], b1[::1], i8, f8[::1])")
def _centre(points: Floats, inliers: Flags, count: Scalar, out: Doubles) -> None:
    out[:] = 0
    for i in range(len(points)):
        if inliers[i]:
            out[0] += points[i, 0] / count
            out[1] += points[i, 1] / count


@kernel("boolean(f4[:, ::1], f4[:, ::1], b1[::1], i8, f8[::1])")
def _refit(query: Floats, reference: Floats, inliers: Flags, count: Scalar, affine: Doubles) -> bool:
    """Least squares over the inliers, pulled a little to the similarity; False where the map would fold over."""
    here, there = np.empty(2), np.empty(2)
    _centre(query, inliers, count, here)
    _centre(reference, inliers, count, there)
    pull = _PULL * count
    a, b = pull * (affine[0] + affine[4]) / 2, pull * (affine[3] - affine[1]) / 2
    xx, xy, yy, ux, uy, vx, vy = pull, 0.0, pull, a, -b, b, a
    for i in range(len(query)):
        if inliers[i]:
            x, y = reference[i, 0] - there[0], reference[i, 1] - there[1]
            u, v = query[i, 0] - here[0], query[i, 1] - here[1]
            xx, xy, yy = xx + x * x, xy + x * y, yy + y * y
            ux, uy, vx, vy = ux + x * u, uy + y * u, vx + x * v, vy + y * v
    spread = xx * yy - xy * xy
    m0, m1, m3, m4 = yy * ux - xy * uy, xx * uy - xy * ux, yy * vx - xy * vy, xx * vy - xy * vx
    m0, m1, m3, m4 = m0 / spread, m1 / spread, m3 / spread, m4 / spread
    if m0 * m4 - m1 * m3 <= 0:
        return False
    affine[0], affine[1], affine[2] = m0, m1, here[0] - m0 * there[0] - m1 * there[1]
    affine[3], affine[4], affine[5] = m3, m4, here[1] - m3 * there[0] - m4 * there[1]
    return True


@kernel("i8(f4[:, ::1], f4[:, ::1], f4[::1], f8[::1], b1[::1])")
def _fit(query: Floats, reference: Floats, weights: Floats, affine: Doubles, inliers: Flags) -> Scalar:
    """The map that explains most of the matches into `affine`, and which; returns how many."""
    relation = np.empty((len(query), 2))
    for i in range(len(query)):
        relation[i, 0] = math.log2(query[i, 2] / reference[i, 2])
        relation[i, 1] = query[i, 3] - reference[i, 3]
    best = _best_hypothesis(query, reference, weights, relation, affine)
    scale = 2.0 ** relation[best, 0]
    _similarity(query[best], reference[best], scale, relation[best, 1], affine)
    tolerance = (_FIRST_TOLERANCE * scale) ** 2
    count = _agreeing(affine, tolerance, best, query, reference, relation, _SIZE_APART, _TURN_APART, inliers)
    trial, agreeing = np.empty(6), np.empty(len(query), np.bool_)
    for share in _TOLERANCES:
        trial[:] = affine
        if count < _LEAST or not _refit(query, reference, inliers, count, trial):
            break
        tolerance = share**2 * max(trial[0] * trial[4] - trial[1] * trial[3], 1e-6)
        agreed = _agreeing(
            trial, tolerance, best, query, reference, relation, _REFINED_SIZE_APART, _REFINED_TURN_APART, agreeing
        )
        if agreed < _LEAST:
            break
        count, affine[:], inliers[:] = agreed, trial, agreeing
    return count


@kernel("i8(f4[:, ::1], b1[::1])")
def _places(points: Floats, inliers: Flags) -> Scalar:
    """Distinct places of the inliers."""
    count, seen = 0, np.empty(len(points), np.int64)
    for i in range(len(points)):
        if inliers[i]:
            place, new = np.int64(points[i, 0] * _GRID) * 100_000 + np.int64(points[i, 1] * _GRID), True
            for k in range(count):
                new = new and seen[k] != place
            if new:
                seen[count] = place
                count += 1
    return count


@kernel("void(f4[:, ::1], f4[:, ::1], f4[::1], f8[::1], b1[::1], i8, f8[::1])")
def _write(
    query: Floats, reference: Floats, weights: Floats, affine: Doubles, inliers: Flags, count: Scalar, out: Doubles
) -> None:
    out[MATCHES], out[INLIERS], out[WEIGHT] = len(query), count, 0
    out[PLACES] = min(_places(query, inliers), _places(reference, inliers))
    out[LEFT], out[TOP], out[RIGHT], out[BOTTOM] = 9, 9, -9, -9
    for i in range(len(query)):
        if inliers[i]:
            out[WEIGHT] += weights[i]
            out[LEFT], out[RIGHT] = min(out[LEFT], reference[i, 0]), max(out[RIGHT], reference[i, 0])
            out[TOP], out[BOTTOM] = min(out[TOP], reference[i, 1]), max(out[BOTTOM], reference[i, 1])
    out[MAP:] = affine


@kernel("i8(i4[::1], i4[:, ::1], f4[::1], f4[:, ::1], f4[:, ::1], f8[:, ::1])")
def verify(
    references: NDArray[np.int32], matches: Matches, weights: Floats, query: Floats, points: Floats, out: Doubles
) -> Scalar:
    """One row of `out` [n, 15] for each of the references whose matches agree in three or more; returns how many.

    `query` by feature, `points` by slot: x, y, size, direction.
    """
    ours, theirs = np.empty((_MOST, 4), np.float32), np.empty((_MOST, 4), np.float32)
    own_weights, affine, inliers, rows = np.empty(_MOST, np.float32), np.empty(6), np.empty(_MOST, np.bool_), 0
    for reference in references:
        count = 0
        for k in range(len(matches)):
            if matches[k, 0] == reference and count < _MOST:
                ours[count], theirs[count] = query[matches[k, 1]], points[matches[k, 2]]
                own_weights[count] = weights[k]
                count += 1
        agreed = _fit(ours[:count], theirs[:count], own_weights[:count], affine, inliers[:count])
        if agreed >= _LEAST:
            _write(ours[:count], theirs[:count], own_weights[:count], affine, inliers[:count], agreed, out[rows])
            out[rows, REFERENCE] = reference
            rows += 1
    return rows
