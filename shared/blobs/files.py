"""Blobs as local files: staged, hashed on the way, synced, then linked to the name of their content.

obstore's local store neither streams create-only nor syncs (DESIGN 4), hence these few lines.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from shared.blobs.digests import place
from shared.blobs.durable import Folders, digest_of, remove_older, translated
from shared.blobs.staged_file import HOP_BYTES, StagedFile
from shared.errors import BlobDamaged, BlobMissing, Unavailable

T = TypeVar("T")
_LEFTOVER_SECONDS = 86_400
_THREADS = 8


class FileBlobs:
    """A folder of blobs, `ab/cd/<sha256>`. Several processes may share it; nobody else should write there."""

    def __init__(self, folder: Path) -> None:
        self._folders = Folders(folder)
        self._staging = folder / "staging"
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="blobs")
        with translated():
            self._folders.make(self._staging)
            remove_older(self._staging, _LEFTOVER_SECONDS)

    @asynccontextmanager
    async def stage(self) -> AsyncIterator[StagedFile]:
        """Opens an upload; what was not kept is gone after the block."""
        staged = StagedFile(self._folders, self._staging / secrets.token_hex(16), self._hop)
        try:
            yield staged
        finally:
            if staged.is_open:
                await asyncio.shield(self._hop(staged.discard))

    async def read(self, sha256: str, *, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Streams a blob or a range of it. Raises `BlobMissing`. Does not check the digest: `as_file` does."""
        file = await self._found(sha256, lambda path: path.open("rb", buffering=0))
        with file:
            descriptor = file.fileno()
            end = start + (length if length is not None else os.fstat(descriptor).st_size)
            while start < end:
                chunk = await self._hop(partial(os.pread, descriptor, min(HOP_BYTES, end - start), start))
                if not chunk:
                    return
                start += len(chunk)
                yield chunk

    @asynccontextmanager
    async def as_file(self, sha256: str) -> AsyncIterator[Path]:
        """The blob's own path, to read only, once its bytes were checked. Raises `BlobMissing`, `BlobDamaged`."""
        if await self._found(sha256, digest_of) != sha256:
            raise BlobDamaged(f"the blob {sha256} holds other bytes than it should")
        yield self._path(sha256)

    async def size(self, sha256: str) -> int | None:
        """Its length in bytes; None when there is no such blob."""
        try:
            return (await self._found(sha256, os.stat)).st_size
        except BlobMissing:
            return None

    async def ping(self) -> None:
        """Raises `Unavailable` when the folder cannot be written."""
        if not await self._hop(lambda: os.access(self._staging, os.W_OK | os.X_OK)):
            raise Unavailable(f"the blob folder {self._folders.root} cannot be written")

    async def close(self) -> None:
        """Waits for work under way."""
        await asyncio.to_thread(self._pool.shutdown)

    def _path(self, sha256: str) -> Path:
        return self._folders.root / place(sha256)

    async def _found(self, sha256: str, work: Callable[[Path], T]) -> T:
        path = self._path(sha256)

        def look() -> T:
            try:
                return work(path)
            except FileNotFoundError as error:
                raise BlobMissing(f"there is no blob {sha256}") from error

        return await self._hop(look)

    async def _hop(self, work: Callable[[], T]) -> T:
        with translated():
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
