from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.screening.matching.local import Features, LocalIndex, PartialHit, extract_features
from services.screening.matching.local.index import MOST_FEATURES
from tests import drawings
from tests.bench.partial_drawings import dead_leaves

Luma = NDArray[np.uint8]
COUNT = 24
WORK = 7


def luma(seed: int) -> Luma:
    return dead_leaves(seed, 480, 640)


@pytest.fixture(scope="module")
def index() -> LocalIndex:
    index = LocalIndex()
    for seed in range(COUNT):
        stored = extract_features(luma(seed), "reference").to_bytes()
        index.add(f"work-{seed}", Features.from_bytes(stored))
    return index


def search(index: LocalIndex, picture: Luma) -> list[PartialHit]:
    return index.search(extract_features(np.ascontiguousarray(picture), "query"))


def the_hit(index: LocalIndex, picture: Luma) -> PartialHit:
    (hit,) = search(index, picture)
    assert hit.reference_id == f"work-{WORK}"
    return hit


def test_the_picture_itself_is_found_whole(index: LocalIndex) -> None:
    hit = the_hit(index, luma(WORK))
    assert hit.score > 0.85
    assert hit.transform == "identity"
    assert hit.coverage_of_reference > 0.7
    assert hit.share_of_upload > 0.7
    np.testing.assert_allclose(hit.upload_region, [(0, 0), (1, 0), (1, 1), (0, 1)], atol=0.02)


def test_a_crop_is_placed_on_the_reference(index: LocalIndex) -> None:
    work = luma(WORK)
    height, width = work.shape
    hit = the_hit(index, work[height // 2 :, : width * 2 // 3])
    assert 0.1 < hit.coverage_of_reference < 0.36
    left, top = np.min(hit.reference_region, axis=0)
    right, bottom = np.max(hit.reference_region, axis=0)
    assert left >= 0 and top >= 0.48 and right <= 0.69 and bottom <= 1
    np.testing.assert_allclose(hit.upload_region, [(0, -1), (1.5, -1), (1.5, 1), (0, 1)], atol=0.05)


@pytest.mark.parametrize(
    ("transform", "mirrored", "negative"),
    [("mirrored", True, False), ("negative", False, True), ("mirrored_negative", True, True)],
)
def test_mirrored_and_inverted_crops(index: LocalIndex, transform: str, mirrored: bool, negative: bool) -> None:
    crop = luma(WORK)[150:600, 40:420]
    crop = crop[:, ::-1] if mirrored else crop
    hit = the_hit(index, 255 - crop if negative else crop)
    assert hit.transform == transform
    corners = np.array(hit.upload_region)
    assert (corners[0, 0] > corners[1, 0]) == mirrored


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (cv2.ROTATE_90_COUNTERCLOCKWISE, "rotate_90"),
        (cv2.ROTATE_180, "rotate_180"),
        (cv2.ROTATE_90_CLOCKWISE, "rotate_270"),
    ],
)
def test_quarter_turns_are_named_as_whole_picture_hashes_name_them(index: LocalIndex, code: int, name: str) -> None:
    crop = luma(WORK)[100:600, 30:430]
    assert the_hit(index, np.asarray(cv2.rotate(crop, code), np.uint8)).transform == name
    flips = {"rotate_90": "transposed", "rotate_180": "flipped", "rotate_270": "transversed"}
    turned_then_mirrored = np.asarray(cv2.rotate(crop, code), np.uint8)[:, ::-1]
    assert the_hit(index, turned_then_mirrored).transform in flips.values()


def test_a_poster_in_a_scene_is_outlined(index: LocalIndex) -> None:
    scene = np.asarray(drawings.photo(99, (1000, 800)).convert("L")).copy()
    small = cv2.resize(luma(WORK), (300, 400), interpolation=cv2.INTER_AREA)
    scene[300:700, 500:800] = small
    hit = the_hit(index, scene)
    expected = [(0.5, 0.375), (0.8, 0.375), (0.8, 0.875), (0.5, 0.875)]
    np.testing.assert_allclose(hit.upload_region, expected, atol=0.02)
    assert hit.share_of_upload == pytest.approx(0.15, abs=0.04)


def test_a_collage_names_every_work_in_it(index: LocalIndex) -> None:
    parts = [cv2.resize(luma(seed), (360, 480), interpolation=cv2.INTER_AREA) for seed in (1, 2, 3, 4)]
    collage = np.vstack([np.hstack(parts[:2]), np.hstack(parts[2:])]).astype(np.uint8)
    assert {hit.reference_id for hit in search(index, collage)} == {f"work-{seed}" for seed in (1, 2, 3, 4)}


@pytest.mark.parametrize("seed", range(50, 58))
def test_other_pictures_match_nothing(index: LocalIndex, seed: int) -> None:
    assert search(index, luma(seed)) == []
    for draw in (drawings.photo, drawings.poster, drawings.logo):
        assert search(index, np.asarray(draw(seed).convert("L"))) == []


def test_removed_references_are_gone_and_replaced_ones_new(index: LocalIndex) -> None:
    own = LocalIndex()
    for seed in (1, 2, 3):
        own.add(str(seed), extract_features(luma(seed), "reference"))
    own.remove("2")
    own.remove("unknown")
    own.add("3", extract_features(luma(4), "reference"))
    found = [[hit.reference_id for hit in search(own, luma(seed))] for seed in (1, 2, 3, 4)]
    assert found == [["1"], [], [], ["3"]]
    assert len(own) == 2


def test_the_order_of_adds_does_not_change_what_is_found(index: LocalIndex) -> None:
    other = LocalIndex()
    for seed in reversed(range(COUNT)):
        other.add(f"work-{seed}", Features.from_bytes(extract_features(luma(seed), "reference").to_bytes()))
    crop = luma(WORK)[200:500, 100:400]
    one, two = the_hit(index, crop), the_hit(other, crop)
    assert one.score == pytest.approx(two.score, abs=0.02)


def test_a_work_registered_many_times_is_still_found() -> None:
    own = LocalIndex()
    for copy in range(12):
        own.add(str(copy), extract_features(luma(WORK), "reference"))
    crop = cv2.resize(luma(WORK)[100:500, 50:400], None, fx=0.9, fy=0.9, interpolation=cv2.INTER_AREA)
    assert len(search(own, np.asarray(crop, np.uint8))) >= 8


def test_an_empty_index_and_an_empty_picture_match_nothing(index: LocalIndex) -> None:
    assert search(LocalIndex(), luma(1)) == []
    assert search(index, np.zeros((100, 100), np.uint8)) == []


def test_too_many_features_are_refused() -> None:
    count = MOST_FEATURES + 1
    features = Features(np.zeros((count, 2), np.uint64), np.ones((count, 4), np.float32), 0, (1.0, 1.0))
    with pytest.raises(ValueError, match="at most 512"):
        LocalIndex().add("big", features)
