"""One thread that owns the SQLite connection; writes that arrive together share a commit."""

import asyncio
import random
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from shared.bus.embedded.schema import open_file
from shared.errors import OutOfSpace, Unavailable

T = TypeVar("T")
_MOST_JOBS = 1000
_POLL_SECONDS = 0.15  # how late another process's commit is noticed


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[sqlite3.Connection], Any]
    writes: bool
    done: "asyncio.Future[Any]"


class Database:
    """`read` and `write` run a function of the connection on the thread. Raises `Unavailable` or `OutOfSpace`."""

    def __init__(self, path: Path, *, on_foreign_change: Callable[[], None], busy_seconds: float = 5.0) -> None:
        self._path = path
        self._on_foreign_change = on_foreign_change
        self._busy_seconds = busy_seconds
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._closed = False
        self.watched = False  # whether anybody waits for what other processes write

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `work`, which must not write."""
        return await self._submit(work, writes=False)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `work` once it is on disk. Work may be run twice, the first time for nothing."""
        return await self._submit(work, writes=True)

    async def close(self) -> None:
        """Finishes what was handed over, then closes the file."""
        self._closed = True
        if self._thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    async def _submit(self, work: Callable[[sqlite3.Connection], T], *, writes: bool) -> T:
        if self._closed:
            raise Unavailable("the bus is closed")
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(work, writes, done))
        if self._thread is None:
            self._thread = Thread(target=self._serve, args=(done.get_loop(),), name="embedded-bus", daemon=True)
            self._thread.start()
        return await done

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        while (jobs := self._take()) is not None:
            try:
                connection = open_file(self._path)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with the file, the caller must hear it
                _hand_back(loop, jobs, [_explain(error, self._path)] * len(jobs))
                continue
            with closing(connection):
                self._serve_with(connection, loop, jobs)
            return

    def _serve_with(self, connection: sqlite3.Connection, loop: asyncio.AbstractEventLoop, first: list[_Job]) -> None:
        jobs: list[_Job] | None = first
        seen, poll_at = 0, 0.0
        while jobs is not None:
            _hand_back(loop, jobs, [_explain(outcome, self._path) for outcome in self._run(connection, jobs)])
            if time.monotonic() >= poll_at:
                poll_at = time.monotonic() + _POLL_SECONDS
                seen, before = _data_version(connection, seen), seen
                if seen != before:
                    _tell(loop, self._on_foreign_change)
            jobs = self._take()

    def _take(self) -> list[_Job] | None:
        """What waits now, at least one unless it is time to look at the file; None once closed."""
        try:
            job = self._jobs.get(timeout=_POLL_SECONDS if self.watched else None)
        except Empty:
            return []
        jobs: list[_Job] = []
        while job is not None:
            jobs.append(job)
            if len(jobs) == _MOST_JOBS or self._jobs.empty():
                return jobs
            job = self._jobs.get_nowait()
        if jobs:
            self._jobs.put(None)  # closing comes after the last job
        return jobs or None

    def _run(self, connection: sqlite3.Connection, jobs: list[_Job]) -> list[Any]:
        """Each job's result or exception. Writes first, in one commit; so reads see them."""
        writes = [job for job in jobs if job.writes]
        results = dict(zip(map(id, writes), self._commit(connection, writes), strict=True))
        for job in jobs:
            if not job.writes:
                results[id(job)] = self._attempt(connection, job)
        return [results[id(job)] for job in jobs]

    def _commit(self, connection: sqlite3.Connection, jobs: list[_Job]) -> list[Any]:
        if not jobs:
            return []
        results: list[Any] = []
        try:
            self._patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
            for job in jobs:
                results.append(job.work(connection))
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - handed to the callers
            if connection.in_transaction:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
            if len(jobs) == 1 or len(results) == len(jobs) or _is_busy(error):
                return [error] * len(jobs)
            return [result for job in jobs for result in self._commit(connection, [job])]
        return results

    def _attempt(self, connection: sqlite3.Connection, job: _Job) -> Any:
        try:
            return self._patiently(lambda: job.work(connection))
        except Exception as error:  # noqa: BLE001 - handed to the caller
            return error

    def _patiently(self, work: Callable[[], T]) -> T:
        """Again and again while another process holds the lock, which it does for a millisecond or two."""
        give_up_at = time.monotonic() + self._busy_seconds
        while True:
            try:
                return work()
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > give_up_at:
                    raise
                time.sleep(random.uniform(0.0002, 0.002))


def _hand_back(loop: asyncio.AbstractEventLoop, jobs: list[_Job], outcomes: Sequence[Any]) -> None:
    if jobs:
        _tell(loop, lambda: _settle(jobs, outcomes))


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(what)


def _settle(jobs: list[_Job], outcomes: Sequence[Any]) -> None:
    for job, outcome in zip(jobs, outcomes, strict=True):
        if job.done.done():
            continue
        if isinstance(outcome, Exception):
            job.done.set_exception(outcome)
        else:
            job.done.set_result(outcome)


def _data_version(connection: sqlite3.Connection, before: int) -> int:
    """Changes when another connection has committed. What ails the file is told to those who use it."""
    with suppress(sqlite3.Error):
        return int(connection.execute("PRAGMA data_version").fetchone()[0])
    return before


def _is_busy(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and _primary_code(error) == sqlite3.SQLITE_BUSY


def _primary_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}


def _explain(outcome: Any, path: Path) -> Any:
    """SQLite's errors in our words; results and other errors as they are."""
    if isinstance(outcome, sqlite3.Error):
        code = _primary_code(outcome)
        if code == sqlite3.SQLITE_FULL:
            return OutOfSpace(f"the disk of the bus is full ({path.name}): free some space")
        if code in _PASSING:
            return Unavailable(f"the bus file {path.name} does not answer: {outcome}")
    if isinstance(outcome, OSError):
        return Unavailable(f"the bus file {path.name} cannot be opened: {outcome}")
    return outcome
