from __future__ import annotations

import pytest

from services.screening.matching.exact.plan import plan, with_bands


@pytest.mark.parametrize(
    ("bits", "radius", "bands"), [(256, 31, 11), (256, 31, 12), (256, 31, 16), (256, 3, 11), (64, 10, 4)]
)
def test_the_bands_cover_every_bit_and_the_limits_meet_the_pigeonhole(bits: int, radius: int, bands: int) -> None:
    made = with_bands(bits, radius, bands)
    covered = [bit for start, width, _ in made.bands.tolist() for bit in range(start, start + width)]
    assert covered == list(range(bits))
    assert sum(limit + 1 for limit in made.bands[:, 2].tolist()) == radius + 1
    for band, (_, _, limit) in enumerate(made.bands.tolist()):
        flips = made.flips[made.ranges[band] : made.ranges[band + 1]].tolist()
        assert len(set(flips)) == len(flips)
        assert all(flip.bit_count() <= limit for flip in flips)


def test_more_hashes_get_fewer_and_wider_bands() -> None:
    assert [len(plan(256, 31, count).bands) for count in (10, 1_000_000, 10_000_000)] == [16, 12, 11]


def test_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="64 or 256"):
        plan(128, 5, 10)
