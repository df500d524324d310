"""When a webhook is tried again: over three days, later and later. Pure."""

from services.verdict.notify.sending import Answer

_MINUTE, _HOUR = 60.0, 3600.0
WAITS = (5.0, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 18 * _HOUR, 22 * _HOUR)
"""Seconds between one attempt and the next; 71.6 hours in all, as Standard Webhooks advises."""

JITTER = 0.1
"""A wait is stretched by up to this share, never shortened, so that endpoints coming back are not all hit at once."""

_LONGEST_ASKED = 24 * _HOUR


def next_wait(attempts: int, answer: Answer, *, chance: float) -> float | None:
    """Seconds until the attempt after `attempts`; None when that was the last. `chance` is from 0 to 1."""
    if answer.status == 410 or attempts > len(WAITS):
        return None
    wait = WAITS[attempts - 1] * (1 + JITTER * chance)
    return max(wait, min(answer.retry_after or 0.0, _LONGEST_ASKED))


def remaining(wait: float, elapsed: float) -> float:
    """What is left of a wait after a restart, whatever the clock did meanwhile: never more than the wait itself."""
    return min(max(wait - elapsed, 0.0), wait)
