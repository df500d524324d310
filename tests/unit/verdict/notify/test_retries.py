"""The schedule: three days, later and later, never early."""

from itertools import pairwise

import pytest

from services.verdict.notify.retries import WAITS, next_wait, remaining
from services.verdict.notify.sending import Answer

FAILED = Answer(500, "status 500")


def test_it_lasts_about_three_days_and_each_wait_is_longer() -> None:
    assert 70 * 3600 <= sum(WAITS) <= 80 * 3600
    assert all(earlier < later for earlier, later in pairwise(WAITS))


def test_the_last_attempt_is_followed_by_none() -> None:
    waits = [next_wait(attempts, FAILED, chance=0.0) for attempts in range(1, len(WAITS) + 2)]
    assert waits == [*WAITS, None]


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_jitter_only_stretches(chance: float) -> None:
    wait = next_wait(1, FAILED, chance=chance)
    assert wait is not None
    assert WAITS[0] <= wait <= WAITS[0] * 1.1


def test_gone_is_final() -> None:
    assert next_wait(1, Answer(410, "status 410"), chance=0.0) is None


def test_an_endpoint_may_ask_for_a_longer_wait_within_a_day() -> None:
    assert next_wait(1, Answer(429, "status 429", 600.0), chance=0.0) == 600.0
    assert next_wait(1, Answer(429, "status 429", 1e9), chance=0.0) == 86_400.0
    assert next_wait(9, Answer(429, "status 429", 1.0), chance=0.0) == WAITS[8]


@pytest.mark.parametrize(("elapsed", "left"), [(0, 100), (40, 60), (100, 0), (7300, 0), (-7200, 100)])
def test_after_a_restart_a_wait_is_never_longer_than_it_was(elapsed: float, left: float) -> None:
    assert remaining(100, elapsed) == left
