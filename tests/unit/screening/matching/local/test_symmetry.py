from __future__ import annotations

import numpy as np
import pytest

from services.screening.matching.local import vocabulary
from services.screening.matching.local.symmetry import PASSES, Pass, closed, permuted, symmetric

CODES = np.random.default_rng(5).integers(0, 2**64, (50, 2), np.uint64)


@pytest.mark.parametrize("turned", PASSES, ids=lambda turned: turned.name)
def test_every_pass_undoes_itself_and_keeps_distances(turned: Pass) -> None:
    image = permuted(CODES, turned)
    assert np.array_equal(permuted(image, turned), CODES)
    before, after = (np.bitwise_count(codes[:-1] ^ codes[1:]).sum(axis=1) for codes in (CODES, image))
    assert np.array_equal(before, after)
    assert (image == CODES).all() == (turned.name == "identity")


def test_two_passes_in_turn_are_the_pass_of_the_numbers_exclusive_or() -> None:
    for i, one in enumerate(PASSES):
        for k, other in enumerate(PASSES):
            assert np.array_equal(permuted(permuted(CODES, one), other), permuted(CODES, PASSES[i ^ k]))


def test_the_shipped_medians_are_symmetric_and_the_centres_many() -> None:
    medians = vocabulary.medians()
    np.testing.assert_allclose(symmetric(medians), medians, rtol=1e-4)
    centres = closed(vocabulary.base_centres())
    assert len(centres) % 64 == 0
    assert len(np.unique(centres, axis=0)) > 0.95 * len(centres)
