"""Group commit: what arrives while the last commit runs shares the next one."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.store.failures import meaning

T = TypeVar("T")
_MOST = 256


@dataclass(slots=True)
class _Job:
    work: Callable[[AsyncConnection], Awaitable[Any]]
    done: "asyncio.Future[Any]"


class GroupCommit:
    """Runs many callers' work in one transaction. One failure is its caller's alone; work may be run twice."""

    def __init__(self, write: Callable[[], AbstractAsyncContextManager[AsyncConnection]]) -> None:
        self._write = write
        self._waiting: list[_Job] = []
        self._flusher: asyncio.Task[None] | None = None

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """The result of `work` once it is durable; its own exception, or that of the commit."""
        job = _Job(work, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush(), name="group-commit")
        # A caller that gives up (client gone) must not undo the others' work.
        result: T = await asyncio.shield(job.done)
        return result

    async def close(self) -> None:
        """Waits until everything handed over is committed."""
        if self._flusher is not None:
            await asyncio.gather(self._flusher, return_exceptions=True)

    async def _flush(self) -> None:
        while self._waiting:
            jobs, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            results: list[Any] = [asyncio.CancelledError()] * len(jobs)
            try:
                results = await self._commit(jobs)
            except Exception as error:  # noqa: BLE001 - whatever broke the commit belongs to every caller
                results = [error] * len(jobs)
            finally:
                for job, result in zip(jobs, results, strict=True):
                    _settle(job.done, result)

    async def _commit(self, jobs: list[_Job]) -> list[Any]:
        try:
            async with self._write() as connection:
                return [await job.work(connection) for job in jobs]
        except Exception:
            if len(jobs) == 1:
                raise
            return await self._commit_apart(jobs)

    async def _commit_apart(self, jobs: list[_Job]) -> list[Any]:
        """Again, with a savepoint around each: dearer, so only once something failed."""
        results: list[Any] = []
        async with self._write() as connection:
            for job in jobs:
                try:
                    async with connection.begin_nested():
                        results.append(await job.work(connection))
                except Exception as error:  # noqa: BLE001 - handed to the caller, the others go on
                    results.append(meaning(error) or error)
        return results


def _settle(done: "asyncio.Future[Any]", result: Any) -> None:
    if done.done():
        return
    if isinstance(result, asyncio.CancelledError):
        done.cancel()
    elif isinstance(result, BaseException):
        done.set_exception(result)
    else:
        done.set_result(result)
