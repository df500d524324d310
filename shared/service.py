"""What a service is made of, so that three of them run in one process or each in its own."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from shared.blobs.port import Blobs
from shared.bus.port import Bus
from shared.store.directory import Directory


@dataclass(frozen=True)
class Backends:
    """What every service of a process shares. Each opens its own store by `store_url`.

    `data` is a local folder for what can be made again.
    """

    bus: Bus
    blobs: Blobs
    store_url: str
    directory: Directory
    data: Path


@dataclass(frozen=True)
class Worker:
    """Something that runs until it is told to stop. An exception from it stops the process."""

    name: str
    run: Callable[[asyncio.Event], Awaitable[None]]


@dataclass(frozen=True)
class Check:
    """A condition of readiness. `ask` raises `Unavailable` with the reason; what it returns is a note to operators."""

    name: str
    ask: Callable[[], Awaitable[str | None]]


@dataclass(frozen=True)
class Service:
    """Routes to answer, workers to run, checks to pass. Made by `open_<service>` in each service's `main.py`."""

    name: str
    routers: tuple[APIRouter, ...] = ()
    workers: tuple[Worker, ...] = ()
    checks: tuple[Check, ...] = field(default=())


async def until(stopping: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Runs `work`, which never ends by itself, until `stopping`; an exception from it comes through."""
    doing = asyncio.create_task(work)
    stopped = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({doing, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
    finally:
        for task in (doing, stopped):
            task.cancel()
        await asyncio.gather(doing, stopped, return_exceptions=True)
