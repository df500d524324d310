"""PDQ against golden values of the reference implementation (`pdqhash` 0.2.8, built from source)."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from services.screening.fingerprint.grids import grids
from services.screening.fingerprint.pdq import TRANSFORMS, distance, spectrum, variants
from tests import drawings

GOLDEN: list[dict[str, Any]] = json.loads(Path(__file__).with_name("pdq_golden.json").read_text())
TURNS = dict(
    zip(
        TRANSFORMS[1:],
        (
            Image.Transpose.ROTATE_90,
            Image.Transpose.ROTATE_180,
            Image.Transpose.ROTATE_270,
            Image.Transpose.FLIP_LEFT_RIGHT,
            Image.Transpose.FLIP_TOP_BOTTOM,
            Image.Transpose.TRANSPOSE,
            Image.Transpose.TRANSVERSE,
        ),
        strict=True,
    )
)
# The reference names what is done to the picture hashed; a variant names what was done to the reference: its inverse.
REFERENCE_ORDER = (
    "identity", "rotate_270", "rotate_180", "rotate_90", "flipped", "mirrored", "transposed", "transversed",
)  # fmt: skip


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: f"{row['kind']}-{row['size']}")
def test_equals_the_reference_bit_for_bit_in_all_orientations(row: dict[str, Any]) -> None:
    picture = getattr(drawings, row["kind"])(row["seed"], tuple(row["size"]))
    assert hashlib.sha256(picture.tobytes()).hexdigest() == row["pixels_sha256"], "the drawing itself has changed"
    found = spectrum(grids(drawings.grey(picture), picture.width, picture.height).box)
    hashes = {variant.name: variant.pdq for variant in variants(found.coefficients)}
    assert found.quality == row["quality_of_grey"]
    assert [hashes[name] for name in REFERENCE_ORDER] == row["of_grey"]
    assert distance(hashes["identity"], row["pdq"]) <= 2  # there luma was not rounded


@pytest.mark.parametrize("draw", [drawings.poster, drawings.photo, drawings.logo])
@pytest.mark.parametrize("transform", TURNS)
def test_variants_name_what_was_done_to_the_reference(draw: Any, transform: str) -> None:
    reference = draw(7)
    stored = variants(_coefficients(reference))[0].pdq
    upload = reference.transpose(TURNS[transform])
    near = [v.name for v in variants(_coefficients(upload)) if distance(v.pdq, stored) <= 31]
    assert near == [transform]


def test_a_negative_is_found_by_its_complement_also_when_mirrored() -> None:
    reference = drawings.poster(5)
    stored = variants(_coefficients(reference))[0].pdq
    upload = reference.point(lambda value: 255 - value).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    near = [v.name for v in variants(_coefficients(upload)) if distance(v.pdq, stored) <= 31]
    assert near == ["mirrored_negative"]


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("size", [(1300, 1050), (1055, 1501)])
def test_hashing_a_reduced_picture_stays_within_six_bits(scale: int, size: tuple[int, int]) -> None:
    picture = drawings.photo(2, size).convert("L")
    full = variants(_coefficients(picture))[0].pdq
    luma = np.asarray(picture.reduce(scale))
    assert distance(variants(spectrum(grids(luma, *size, scale).box).coefficients)[0].pdq, full) <= 6


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (64, 64), (65, 63)])
def test_any_size_has_a_hash(size: tuple[int, int]) -> None:
    found = spectrum(grids(np.full((size[1], size[0]), 90, np.uint8), *size).box)
    assert found.quality == 0
    assert {len(variant.pdq) for variant in variants(found.coefficients)} == {64}


def _coefficients(picture: Image.Image) -> Any:
    return spectrum(grids(drawings.grey(picture), picture.width, picture.height).box).coefficients
