"""Wakes whoever waits for the ledger to grow, in this process; other replicas are noticed by looking."""

import asyncio


class Bell:
    """Rings for all who wait at that moment."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def ring(self) -> None:
        """Wakes everybody."""
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Until it rings, or for `seconds`."""
        try:
            await asyncio.wait_for(self._next.wait(), seconds)
        except TimeoutError:
            return
