from __future__ import annotations

import pytest

from services.screening.matching.corroborate import corroborate
from services.screening.matching.local import PartialHit

SQUARE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def hit(name: str, score: float) -> PartialHit:
    return PartialHit(name, score, SQUARE, SQUARE, 1.0, 1.0, "identity")


@pytest.mark.parametrize(
    ("score", "distance", "expected"),
    [
        (0.3, 72, 0.575),
        (0.3, 73, 0.3),
        (0.3, None, 0.3),
        (0.09, 40, 0.09),
        (0.9, 40, 0.9),
    ],
)
def test_a_near_hash_lifts_a_weak_hit_over_the_threshold(score: float, distance: int | None, expected: float) -> None:
    distances = {} if distance is None else {"a": distance}
    assert corroborate([hit("a", score)], distances)[0].score == pytest.approx(expected)


def test_hits_come_back_best_first() -> None:
    hits = corroborate([hit("a", 0.55), hit("b", 0.4)], {"b": 50})
    assert [found.reference_id for found in hits] == ["b", "a"]
