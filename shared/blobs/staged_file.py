"""An upload on its way to a local file."""

import hashlib
import os
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from shared.blobs.digests import place
from shared.blobs.durable import Folders, move_into_place, write_all
from shared.blobs.port import Kept

HOP_BYTES = 1 << 20  # one trip to a thread carries this much
Hop = Callable[[Callable[[], Any]], Awaitable[Any]]


class StagedFile:
    """Small uploads gather in memory and reach the disk in the one hop of `keep`."""

    def __init__(self, folders: Folders, path: Path, hop: Hop) -> None:
        self._folders = folders
        self._path = path
        self._hop = hop
        self._hash = hashlib.sha256()
        self._bytes = 0
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._descriptor: int | None = None
        self._begun = False
        self._ended = False
        # A cancelled caller leaves its thread at work: the next step waits for it.
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether something may lie in the staging folder still."""
        return self._begun and not self._ended

    async def write(self, chunk: bytes) -> None:
        """Appends. Raises `OutOfSpace` or `Unavailable`."""
        self._gathered.append(chunk)
        self._gathered_bytes += len(chunk)
        if self._gathered_bytes >= HOP_BYTES:
            self._begun = True
            await self._hop(self._append)

    async def keep(self) -> Kept:
        """Durable under its digest when this returns."""
        self._begun = True
        kept: Kept = await self._hop(self._keep)
        return kept

    def discard(self) -> None:
        """Closes and removes the staging file; nothing is written afterwards."""
        with self._lock:
            self._end()

    def _append(self) -> None:
        with self._lock:
            self._flush()

    def _keep(self) -> Kept:
        with self._lock:
            descriptor = self._flush()
            os.fsync(descriptor)
            sha256 = self._hash.hexdigest()
            target = self._folders.root / place(sha256)
            self._folders.make(target.parent)
            created = move_into_place(self._path, target)
            self._end()
            return Kept(sha256, self._bytes, created)

    def _flush(self) -> int:
        if self._ended:
            raise ValueError("the upload has ended")
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        gathered, self._gathered, self._gathered_bytes = self._gathered, [], 0
        for chunk in gathered:
            self._hash.update(chunk)
            write_all(self._descriptor, chunk)
            self._bytes += len(chunk)
        return self._descriptor

    def _end(self) -> None:
        self._ended = True
        if self._descriptor is None:
            return
        os.close(self._descriptor)
        self._descriptor = None
        with suppress(FileNotFoundError):
            self._path.unlink()
