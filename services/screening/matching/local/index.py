"""Partial copies: which references does an upload hold a part of, and where?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from services.screening.matching import kernels
from services.screening.matching.local import geometry
from services.screening.matching.local.features import Features
from services.screening.matching.local.geometry import Region
from services.screening.matching.local.lists import Lists, Question
from services.screening.matching.local.symmetry import PASSES, Pass

_SLOT_BITS = 9
MOST_FEATURES = 1 << _SLOT_BITS
"""Of a reference; more are refused."""
LEAST_FEATURES = 3
_VERIFIED = 20
_LEAST_VOTES = 3
_MOST_ANISOTROPY = 3.0
_LEAST_COVERAGE = 0.01
_THRESHOLD = 4.2  # support at which the score is 0.5

_NO_POINTS = np.empty((0, 4), np.float32)

Floats = NDArray[np.float32]
Row = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PartialHit:
    """A reference of which the upload holds a part. A `score` of 0.5 is the shipped threshold, 1 certainty.

    `upload_region` is the whole reference's outline on the upload, which it may exceed; `reference_region` and
    `coverage_of_reference` are the part of the reference that was recognised, `share_of_upload` where that lies.
    """

    reference_id: str
    score: float
    upload_region: Region
    reference_region: Region
    share_of_upload: float
    coverage_of_reference: float
    transform: str


class LocalIndex:
    """References by their local features, with live adds and removals. One thread at a time.

    Construction loads the compiled kernels: call `compile_kernels` before, so that this takes no time.
    """

    def __init__(self) -> None:
        self._lists = Lists()
        self._held: list[tuple[str, Features] | None] = []
        self._at: dict[str, int] = {}
        self._free: list[int] = []
        self._points = np.empty((MOST_FEATURES, 4), np.float32)

    def __len__(self) -> int:
        return len(self._at)

    def add(self, reference_id: str, features: Features) -> None:
        """Adds a reference, in place of what was known under its id. Raises ValueError for too many features."""
        if len(features) > MOST_FEATURES:
            raise ValueError(f"features: {len(features)}, at most {MOST_FEATURES}; extract them as a reference's")
        self.remove(reference_id)
        number = self._free.pop() if self._free else len(self._held)
        if number == len(self._held):
            self._held.append(None)
        self._held[number] = (reference_id, replace(features, points=_NO_POINTS))  # they are in `_points`
        self._at[reference_id] = number
        first = number << _SLOT_BITS
        self._reserve(first + MOST_FEATURES)
        self._points[first : first + len(features)] = features.points
        self._lists.add(features.codes, features.positive, first)

    def remove(self, reference_id: str) -> None:
        """Forgets a reference; unknown ids are fine."""
        number = self._at.pop(reference_id, None)
        if number is None:
            return
        held = self._held[number]
        if held is not None:
            self._lists.remove(held[1].codes, held[1].positive, number << _SLOT_BITS)
        self._held[number] = None
        self._free.append(number)

    def search(self, features: Features, *, least_score: float = 0.5) -> list[PartialHit]:
        """References that the upload holds a part of, the surest first, each once."""
        best: dict[str, PartialHit] = {}
        if len(features) >= LEAST_FEATURES and self._at:
            for hit in self._hits(features, least_score):
                if hit.reference_id not in best or hit.score > best[hit.reference_id].score:
                    best[hit.reference_id] = hit
        return sorted(best.values(), key=lambda hit: (-hit.score, hit.reference_id))

    def _hits(self, features: Features, least_score: float) -> Iterator[PartialHit]:
        centres = self._lists.probe(features.codes)
        strong = features.stronger_half()
        # Inverted parts are rare, and inverted wholes are found by their hashes: half the effort.
        half = (features.take(strong), centres[strong])
        asked = [(half if turned.inverted else (features, centres), turned) for turned in PASSES]
        answers = self._lists.search(
            [Question(some.codes, near, some.positive, turned) for (some, near), turned in asked]
        )
        for ((some, _), turned), (distances, found) in zip(asked, answers, strict=True):
            for row in self._verified(turned_back(some, turned), distances, found):
                held = self._held[int(row[0])]
                score = _score(row, held[1]) if held else 0.0
                if held and score >= least_score:
                    yield _hit(row, score, held, features.extent, turned)

    def _verified(self, points: Floats, distances: NDArray[np.uint8], found: NDArray[np.int32]) -> Row:
        voting, verifying = kernels.load("local.voting"), kernels.load("local.verifying")
        tally, counts = np.zeros(len(self._held), np.float32), np.zeros(len(self._held), np.int32)
        matches, weights = np.empty((distances.size, 3), np.int32), np.empty(distances.size, np.float32)
        total = voting.vote(distances, found, _SLOT_BITS, tally, counts, matches, weights)
        rows = np.empty((_VERIFIED, verifying.COLUMNS))
        count = verifying.verify(_leading(tally, counts), matches[:total], weights[:total], points, self._points, rows)
        return rows[:count]

    def _reserve(self, slots: int) -> None:
        if slots > len(self._points):
            grown = np.empty((max(slots, len(self._points) * 3 // 2), 4), np.float32)
            grown[: len(self._points)] = self._points
            self._points = grown


def turned_back(features: Features, turned: Pass) -> Floats:
    """The features' places, sizes and directions in the picture turned back."""
    points = features.points.copy()
    if turned.inverted:
        points[:, 3] += np.float32(np.pi)
    if turned.mirrored:
        points[:, 0] = features.extent[0] - points[:, 0]
        points[:, 3] = np.float32(np.pi) - points[:, 3]
    return points


def _leading(tally: Floats, counts: NDArray[np.int32]) -> NDArray[np.int32]:
    """The references with most votes; ties by number, so that every worker verifies the same."""
    voted = np.flatnonzero(counts >= _LEAST_VOTES)
    return voted[np.argsort(-tally[voted], kind="stable")[:_VERIFIED]].astype(np.int32)


def _score(row: Row, reference: Features) -> float:
    """0 to 1 from what supports a match: distinct places, weight, how much of the reference they cover."""
    coverage = _coverage(row, reference)
    if coverage <= _LEAST_COVERAGE or anisotropy(row[9:]) >= _MOST_ANISOTROPY:
        return 0.0
    support = math.sqrt(row[3] * row[4]) * coverage**0.25
    return float(support / (support + _THRESHOLD))


def _coverage(row: Row, reference: Features) -> float:
    left, top, right, bottom = row[5:9].tolist()
    return float((right - left) * (bottom - top) / (reference.extent[0] * reference.extent[1]))


def _hit(row: Row, score: float, held: tuple[str, Features], extent: tuple[float, float], turned: Pass) -> PartialHit:
    (left, top, right, bottom), affine = row[5:9], row[9:]
    reference_id, reference = held
    seen = geometry.corners(left, top, right, bottom)
    outline = geometry.mapped(affine, geometry.corners(0, 0, *reference.extent))
    share = geometry.clipped_area(geometry.mapped(affine, seen), extent) / (extent[0] * extent[1])
    if turned.mirrored:
        outline[:, 0] = extent[0] - outline[:, 0]
    return PartialHit(
        reference_id,
        score=score,
        upload_region=geometry.region(outline, extent),
        reference_region=geometry.region(seen, reference.extent),
        share_of_upload=round(min(share, 1.0), 4),
        coverage_of_reference=round(min(_coverage(row, reference), 1.0), 4),
        transform=geometry.words(affine, mirrored=turned.mirrored, inverted=turned.inverted),
    )


def anisotropy(affine: Row) -> float:
    """How many times more the map stretches one direction than the other."""
    a, b, _, c, d, _ = affine.tolist()
    stretch, determinant = (a * a + b * b + c * c + d * d) / 2, a * d - b * c
    root = math.sqrt(max(stretch**2 - determinant**2, 0.0))
    return math.sqrt((stretch + root) / max(stretch - root, 1e-12))
