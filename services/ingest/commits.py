"""Group commit of uploads: those that arrived while the last commit ran share the next one, many rows a statement."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import assets
from services.ingest.assets import Asset
from services.ingest.remembered import Request, claim
from shared.bus.port import Record
from shared.outbox import Outbox
from shared.store.engine import Store
from shared.web.problems import Problem

_MOST = 256


@dataclass(frozen=True, slots=True)
class Upload:
    """What becomes durable together: the row, its event, and the request it came with."""

    asset: Asset
    record: Record
    claimed: Request | None


class Commits:
    """Writes uploads to the database and wakes the outbox. One upload's conflict is its own alone."""

    def __init__(self, store: Store, outbox: Outbox, remembers: timedelta) -> None:
        self._store = store
        self._outbox = outbox
        self._remembers = remembers
        self._waiting: list[tuple[Upload, asyncio.Future[str]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def add(self, upload: Upload) -> str:
        """The id of the durable asset, which is an earlier one when the request came before. Raises `Problem`."""
        done: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((upload, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all(), name="upload-commits")
        # A client that leaves must not undo the others' work.
        return await asyncio.shield(done)

    async def close(self) -> None:
        """Waits for what was handed over."""
        if self._writer is not None:
            await asyncio.gather(self._writer, return_exceptions=True)

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            uploads = [upload for upload, _ in batch]
            results: Sequence[str | BaseException]
            try:
                results = await self._store.together(partial(self._write, uploads))
            except BaseException as error:  # noqa: BLE001 - whatever broke the commit belongs to every caller
                results = [error] * len(batch)
            self._outbox.wake()
            for (_, done), result in zip(batch, results, strict=True):
                _settle(done, result)

    async def _write(self, uploads: Sequence[Upload], connection: AsyncConnection) -> list[str | Problem]:
        results = [await self._claimed(connection, upload) for upload in uploads]
        fresh = [upload for upload, made in zip(uploads, results, strict=True) if made == upload.asset.id]
        await assets.insert(connection, [upload.asset for upload in fresh])
        await self._outbox.add_records(connection, [upload.record for upload in fresh])
        return results

    async def _claimed(self, connection: AsyncConnection, upload: Upload) -> str | Problem:
        asset = upload.asset
        if upload.claimed is None:
            return asset.id
        try:
            return await claim(connection, upload.claimed, asset.id, asset.submitted_at, self._remembers)
        except Problem as conflict:
            return conflict


def _settle(done: "asyncio.Future[str]", result: str | BaseException) -> None:
    if done.done():
        return
    if isinstance(result, BaseException):
        done.set_exception(result)
    else:
        done.set_result(result)
