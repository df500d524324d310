from __future__ import annotations

import numpy as np
import pytest

from services.screening.matching.local.lists import Lists, Question
from services.screening.matching.local.symmetry import PASSES, Pass, permuted

RNG = np.random.default_rng(7)
HALF = 200


def block(count: int = 2 * HALF) -> np.ndarray[tuple[int, int], np.dtype[np.uint64]]:
    return RNG.integers(0, 2**64, (count, 2), np.uint64)


def nearest(
    lists: Lists, codes: np.ndarray[tuple[int, int], np.dtype[np.uint64]], turned: Pass = PASSES[0]
) -> list[int]:
    ((distances, found),) = lists.search([Question(codes, lists.probe(codes), HALF, turned)])
    return [int(slot) if distance == 0 else -1 for distance, slot in zip(distances[:, 0], found[:, 0], strict=True)]


@pytest.mark.parametrize("turned", PASSES, ids=lambda turned: turned.name)
def test_every_code_finds_itself_under_every_pass(turned: Pass) -> None:
    lists, codes = Lists(), block()
    lists.add(codes, HALF, 1000)
    order = np.r_[HALF : 2 * HALF, 0:HALF] if turned.inverted else np.arange(2 * HALF)
    query = permuted(codes, turned)[order]  # inverting a picture makes bright features dark ones
    assert nearest(lists, query, turned) == (1000 + order).tolist()


def test_bright_and_dark_features_do_not_meet() -> None:
    lists, codes = Lists(), block()
    lists.add(codes, HALF, 0)
    assert set(nearest(lists, np.roll(codes, HALF, axis=0))) == {-1}


def test_many_adds_and_removals_leave_exactly_what_is_held() -> None:
    lists = Lists()
    blocks = [block() for _ in range(40)]
    for number, codes in enumerate(blocks):
        lists.add(codes, HALF, number * 512)
    for number in range(0, 40, 3):
        lists.remove(blocks[number], HALF, number * 512)
    for number in (0, 9):
        lists.add(blocks[number], HALF, (number + 100) * 512)
    for number, codes in enumerate(blocks):
        first = (number + 100) * 512 if number in (0, 9) else number * 512
        expected = [-1] * len(codes) if number % 3 == 0 and number not in (0, 9) else list(range(first, first + 400))
        assert nearest(lists, codes) == expected


def test_equal_codes_overflow_their_list_into_a_longer_one() -> None:
    lists = Lists()
    same = np.repeat(block(1), 3000, axis=0)
    lists.add(same, 3000, 0)
    ((distances, found),) = lists.search([Question(same[:1], lists.probe(same[:1]), 1, PASSES[0])])
    assert (distances == 0).all()
    assert len(set(found[0].tolist())) == 9
