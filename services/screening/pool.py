"""Decoding off the event loop: `child.py` runs in sandboxed processes that start on first use and leave when idle.

A process that dies takes one file with it: that file is tried once more, alone, and then counts as unscreenable.
`ProcessPoolExecutor` would lose every file in flight, and unpickle what a hostile file may have written.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import structlog

from services.screening.decode.model import Unscreenable
from services.screening.decoded import Decoded
from services.screening.pool_process import DecodeProcess, PoolError, PoolSettings, ProcessDied

__all__ = ["DecodePool", "PoolError", "PoolSettings"]

_log = structlog.get_logger(__name__)


class DecodePool:
    """At most `settings.workers` decode processes. Use within one event loop, close at the end."""

    def __init__(self, settings: PoolSettings | None = None) -> None:
        self._settings = settings or PoolSettings()
        self._turns = asyncio.Semaphore(self._settings.workers)
        self._one_alone = asyncio.Lock()
        self._idle: list[DecodeProcess] = []
        self._leaving: dict[DecodeProcess, asyncio.TimerHandle] = {}
        self._farewells: set[asyncio.Task[None]] = set()
        self._warned = False

    async def run(self, path: Path, wants: frozenset[str] | None = None) -> Decoded:
        """Screen one file; `wants` defaults to the settings' own.

        Raises OSError if it cannot be opened, `PoolError` if no process starts; nothing for any content.
        """
        wanted = self._settings.wants if wants is None else wants
        with path.open("rb") as file:
            async with self._turns:
                died = await self._try(file, wanted)
                if isinstance(died, Decoded):
                    return died
            if died.cpu:  # the same bytes would use it up again
                return _resource_limit(died)
            _log.warning("decode_process_died", detail=died.detail)
            async with self._alone():
                again = await self._try(file, wanted, fresh=True)
            return again if isinstance(again, Decoded) else _resource_limit(again)

    async def close(self) -> None:
        """End all idle processes and wait for those on their way out; call when no `run` is pending."""
        for process in list(self._idle):
            self._dismiss(process)
        await asyncio.gather(*self._farewells)

    async def __aenter__(self) -> DecodePool:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def idle_pids(self) -> list[int]:
        """Processes that wait for a file."""
        return [process.pid for process in self._idle]

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """All turns at once: no other file is being decoded meanwhile."""
        async with self._one_alone, AsyncExitStack() as turns:
            for _ in range(self._settings.workers):
                await turns.enter_async_context(self._turns)
            yield

    async def _try(self, file: BinaryIO, wants: frozenset[str], *, fresh: bool = False) -> Decoded | ProcessDied:
        process = await self._take(fresh=fresh)
        try:
            decoded = await process.screen(file, wants, self._settings.wall_seconds)
        except ProcessDied as death:
            await process.stop()
            return death
        except BaseException:
            await process.stop()
            raise
        self._give_back(process)
        return decoded

    async def _take(self, *, fresh: bool) -> DecodeProcess:
        if self._idle and not fresh:
            process = self._idle.pop()
            self._leaving.pop(process).cancel()
            return process
        process = await DecodeProcess.start(self._settings)
        if not process.landlock and not self._warned:
            self._warned = True
            _log.warning("landlock_missing", remedy="use Linux 5.13 or later; memory and CPU limits hold without it")
        return process

    def _give_back(self, process: DecodeProcess) -> None:
        loop = asyncio.get_running_loop()
        self._idle.append(process)
        spent = process.files >= self._settings.files_per_process
        self._leaving[process] = loop.call_later(0 if spent else self._settings.idle_seconds, self._dismiss, process)

    def _dismiss(self, process: DecodeProcess) -> None:
        self._idle.remove(process)
        self._leaving.pop(process).cancel()
        farewell = asyncio.get_running_loop().create_task(process.stop())
        self._farewells.add(farewell)
        farewell.add_done_callback(self._farewells.discard)


def _resource_limit(died: ProcessDied) -> Decoded:
    return Decoded(unscreenable=Unscreenable("resource_limit", died.detail))
