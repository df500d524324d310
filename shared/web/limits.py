"""How much one key may ask: a sliding window per key, in memory, per process."""

import math
import time

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from shared.principal import Principal
from shared.web.problems import Problem

PER_MINUTE = 6_000


class RateLimit:
    """`per_minute` requests for each key; admin keys are exempt."""

    def __init__(self, per_minute: int = PER_MINUTE) -> None:
        self._item = RateLimitItemPerMinute(per_minute)
        self._window = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def check(self, principal: Principal) -> None:
        """Counts one request. Raises a 429 `Problem` that says when to come back."""
        if principal.may("admin") or await self._window.hit(self._item, principal.key_id):
            return
        stats = await self._window.get_window_stats(self._item, principal.key_id)
        seconds = max(1, math.ceil(stats.reset_time - time.time()))
        raise Problem(
            429,
            "rate_limited",
            f"this key may ask {self._item.amount:,} times a minute",
            headers={"Retry-After": str(min(seconds, 60))},
        )
