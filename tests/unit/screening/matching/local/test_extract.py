from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.screening.matching.local import Features, extract_features
from services.screening.matching.local.extract import RECIPES, describe_picture
from services.screening.matching.local.pyramid import working_picture
from services.screening.matching.local.symmetry import PASSES, Pass, permuted
from tests.bench.partial_drawings import dead_leaves

pytestmark = pytest.mark.slow

Luma = NDArray[np.uint8]


@pytest.fixture(scope="module")
def luma() -> Luma:
    # Odd sides: halving samples the mirrored picture at the same places.
    return dead_leaves(3, 449, 511)


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (8, 8), (17, 3000), (300, 300)])
def test_a_picture_without_content_has_no_features(shape: tuple[int, int]) -> None:
    features = extract_features(np.full(shape, 90, np.uint8), "query")
    assert len(features) == 0
    assert len(Features.from_bytes(features.to_bytes())) == 0


@pytest.mark.parametrize("shape", [(1, 40), (9, 9), (23, 1500), (1500, 23), (2000, 2000)])
def test_any_shape_of_noise_is_taken(shape: tuple[int, int]) -> None:
    features = extract_features(np.random.default_rng(0).integers(0, 256, shape, np.uint8), "reference")
    assert len(features) <= RECIPES["reference"].features
    assert np.isfinite(features.points).all()


def test_the_same_picture_gives_the_same_bytes(luma: Luma) -> None:
    assert extract_features(luma, "query").to_bytes() == extract_features(luma.copy(), "query").to_bytes()


def test_pictures_are_never_enlarged_and_come_to_the_long_side() -> None:
    assert working_picture(np.zeros((300, 200), np.uint8), 768).shape == (300, 200)
    assert working_picture(np.zeros((3000, 2000), np.uint8), 768).shape == (768, 512)


def test_features_lie_where_sift_sees_them_in_size_and_direction(luma: Luma) -> None:
    ours, _, _ = describe_picture(luma, RECIPES["query"])
    oracle = cv2.SIFT.create(0, nOctaveLayers=2, contrastThreshold=0.02, sigma=1.6).detect(luma, None)
    theirs = np.array([(*point.pt, point.size / 2, np.deg2rad(point.angle)) for point in oracle])
    strong = ours[ours[:, 2] > 2][:150]  # SIFT doubles the picture first, so only coarser features are comparable
    apart = np.hypot(strong[:, None, 0] - theirs[None, :, 0], strong[:, None, 1] - theirs[None, :, 1])
    near = (apart < 1.5) & (np.abs(np.log2(strong[:, None, 2] / theirs[None, :, 2])) < 0.5)
    assert near.any(axis=1).mean() > 0.7
    turned = np.cos(strong[:, None, 3] - theirs[None, :, 3]) > 0.9
    assert (near & turned).any(axis=1).mean() > 0.6


def altered(luma: Luma, turned: Pass) -> Luma:
    picture = luma[:, ::-1] if turned.mirrored else luma
    return np.ascontiguousarray(255 - picture if turned.inverted else picture)


@pytest.mark.parametrize("turned", PASSES[1:], ids=lambda turned: turned.name)
def test_codes_of_an_altered_picture_are_the_permuted_codes(luma: Luma, turned: Pass) -> None:
    upright, other = extract_features(luma, "reference"), extract_features(altered(luma, turned), "reference")
    x = upright.extent[0] - 1 / max(luma.shape) - upright.points[:, 0] if turned.mirrored else upright.points[:, 0]
    apart = np.hypot(x[:, None] - other.points[None, :, 0], upright.points[:, None, 1] - other.points[None, :, 1])
    bits = np.bitwise_count(upright.codes[:, None] ^ permuted(other.codes, turned)[None]).sum(axis=2)
    matched = np.where(apart < 0.002, bits, 128).min(axis=1)
    assert np.median(matched) <= 4
    assert (matched < 128).mean() > 0.85
