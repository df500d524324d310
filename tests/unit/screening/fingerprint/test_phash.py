"""pHash against imagehash itself."""

from typing import Any

import imagehash
import pytest

from services.screening.decode.model import View
from services.screening.fingerprint.grids import grids
from services.screening.fingerprint.phash import phash
from services.screening.fingerprint.whole import fingerprint
from tests import drawings


@pytest.mark.parametrize("draw", [drawings.poster, drawings.photo, drawings.logo])
@pytest.mark.parametrize("seed", range(4))
def test_equals_imagehash_on_the_same_pixels(draw: Any, seed: int) -> None:
    picture = draw(seed)
    assert phash(grids(drawings.grey(picture), picture.width, picture.height).lanczos) == str(imagehash.phash(picture))


def test_a_reduced_view_stays_within_four_bits() -> None:
    picture = drawings.photo(9, (1600, 1200))
    view = View("picture", drawings.grey(picture), picture.width, picture.height)
    reduced = int(fingerprint([view]).first.phash, 16)
    assert (reduced ^ int(str(imagehash.phash(picture)), 16)).bit_count() <= 4
