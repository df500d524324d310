"""Keeps the search index quick: what came since its segments is merged into new ones before a scan of it gets slow."""

import asyncio
import time

import structlog

from services.screening.live_index import LiveIndex
from shared.service import until

_log = structlog.get_logger()


class Upkeep:
    """Merges in a thread whenever `merge_at` changes have gathered; searches and changes go on meanwhile."""

    def __init__(self, index: LiveIndex, merge_at: int) -> None:
        self._index = index
        self._merge_at = merge_at

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; a merge that is cut off leaves the segments as they were."""
        await until(stopping, self._merge_when_due())

    async def _merge_when_due(self) -> None:
        while True:
            if self._index.unmerged >= self._merge_at:
                await self._merge()
            else:
                await self._index.moved()

    async def _merge(self) -> None:
        start = time.monotonic()
        try:
            await self._index.merge()
        except OSError as error:  # a full disk: the scan goes on, and the next change tries again
            _log.error("index_not_merged", error=str(error))
            await self._index.moved()
        else:
            _log.info("index_merged", references=len(self._index), seconds=round(time.monotonic() - start, 3))
