"""Answers kept for a moment: a hot question reaches the database once in a while, however many ask it."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Keeps found answers for `seconds`; "not there" is asked anew each time. Who asks meanwhile shares the look."""

    def __init__(self, look: Callable[[K], Awaitable[V | None]], *, seconds: float, most: int = 10_000) -> None:
        self._look = look
        self._seconds = seconds
        self._most = most
        self._answers: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._looks: dict[K, asyncio.Task[V | None]] = {}

    async def get(self, key: K) -> V | None:
        """The answer, at most `seconds` old when given."""
        kept = self._answers.get(key)
        if kept is not None and time.monotonic() < kept[0]:
            return kept[1]
        look = self._looks.get(key)
        if look is None:
            look = self._looks[key] = asyncio.create_task(self._renew(key), name="directory-look")
        # One caller that gives up must not take the answer from the others.
        return await asyncio.shield(look)

    def forget(self) -> None:
        """Everything is asked anew, also by whoever waits for an older look."""
        self._answers.clear()
        self._looks.clear()

    async def _renew(self, key: K) -> V | None:
        asked_at = time.monotonic()
        me = asyncio.current_task()
        try:
            value = await self._look(key)
            if value is not None and self._looks.get(key) is me:
                self._keep(key, asked_at + self._seconds, value)
            return value
        finally:
            if self._looks.get(key) is me:
                del self._looks[key]

    def _keep(self, key: K, until: float, value: V) -> None:
        self._answers[key] = (until, value)
        self._answers.move_to_end(key)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)
