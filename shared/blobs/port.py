"""Blobs as the services see them: content addressed by SHA-256, written once, never changed."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shared.errors import BlobDamaged


@dataclass(frozen=True, slots=True)
class Kept:
    """What is durable now. `created` is false when the same bytes lay there already."""

    sha256: str
    bytes: int
    created: bool


class Staged(Protocol):
    """An upload under way: invisible until `keep`, gone after the block if it was not kept."""

    async def write(self, chunk: bytes) -> None:
        """Appends. Raises `OutOfSpace` or `Unavailable`."""

    async def keep(self) -> Kept:
        """Durable under its digest when this returns (file and folder are synced)."""


class Blobs(Protocol):
    """A store of immutable bytes."""

    def stage(self) -> AbstractAsyncContextManager[Staged]:
        """Opens an upload."""

    def read(self, sha256: str, *, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Streams a blob, or a range of it. Raises `BlobMissing`."""

    def as_file(self, sha256: str) -> AbstractAsyncContextManager[Path]:
        """A local path to it while the block lasts. Raises `BlobMissing`, `BlobDamaged` (digest differs)."""

    async def size(self, sha256: str) -> int | None:
        """Its length in bytes; None when there is no such blob."""

    async def ping(self) -> None:
        """Raises `Unavailable` when the store cannot be reached."""

    async def close(self) -> None:
        """Lets go."""


async def read_whole(blobs: Blobs, sha256: str) -> bytes:
    """A small blob at once. Raises `BlobMissing`, and `BlobDamaged` when its digest differs."""
    content = b"".join([chunk async for chunk in blobs.read(sha256)])
    if hashlib.sha256(content).hexdigest() != sha256:
        raise BlobDamaged(f"the bytes of {sha256} are not those that were kept")
    return content
