"""Blobs in S3, Google's or Azure's object store, by obstore. Credentials come from the environment, as theirs do.

A killed upload leaves a key below `staging/`: give that prefix a lifecycle rule of a day.
"""

import asyncio
import hashlib
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import IO

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import ObjectStore, from_url

from shared.blobs.digests import place
from shared.blobs.port import Kept
from shared.errors import BlobDamaged, BlobMissing, ConfigurationError, Unavailable

_PART_BYTES = 8 << 20
_CHUNK_BYTES = 1 << 20


class ObjectBlobs:
    """A bucket, or a prefix in one, of blobs: `ab/cd/<sha256>`."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @classmethod
    def at(cls, url: str) -> "ObjectBlobs":
        """`s3://`, `gs://`, `az://bucket/prefix`. Raises `ConfigurationError`."""
        try:
            store = from_url(
                url,
                client_options={"connect_timeout": "5s", "timeout": "120s", "allow_http": _may_be_plain()},
                retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
            )
        except (BaseError, ValueError) as error:
            raise ConfigurationError(f"CLEARFRAME_BLOBS: {error}") from error
        return cls(store)

    @asynccontextmanager
    async def stage(self) -> AsyncIterator["StagedObject"]:
        """Opens an upload; what was not kept is gone after the block."""
        staged = StagedObject(self._store, f"staging/{secrets.token_hex(16)}")
        try:
            yield staged
        finally:
            await asyncio.shield(staged.discard())

    async def read(self, sha256: str, *, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Streams a blob or a range of it. Raises `BlobMissing`. Does not check the digest: `as_file` does."""
        with _translated(sha256):
            size = int((await obstore.head_async(self._store, place(sha256)))["size"])
            end = size if length is None else min(size, start + length)
            if start >= end:
                return
            found = await obstore.get_async(self._store, place(sha256), options={"range": (start, end)})
            async for chunk in found.stream(_CHUNK_BYTES):
                yield bytes(chunk)

    @asynccontextmanager
    async def as_file(self, sha256: str) -> AsyncIterator[Path]:
        """A temporary copy, checked while it came. Raises `BlobMissing`, `BlobDamaged`."""
        with tempfile.NamedTemporaryFile(prefix="clearframe-") as file:
            if await self._download(sha256, file) != sha256:
                raise BlobDamaged(f"the blob {sha256} holds other bytes than it should")
            yield Path(file.name)

    async def size(self, sha256: str) -> int | None:
        """Its length in bytes; None when there is no such blob."""
        try:
            with _translated(sha256):
                return int((await obstore.head_async(self._store, place(sha256)))["size"])
        except BlobMissing:
            return None

    async def ping(self) -> None:
        """Raises `Unavailable` when the bucket does not answer."""
        try:
            with _translated("ping"):
                await obstore.list_with_delimiter_async(self._store, "staging/none")
        except BlobMissing as error:
            raise Unavailable("there is no such bucket") from error

    async def close(self) -> None:
        """Nothing to let go of."""

    async def _download(self, sha256: str, file: IO[bytes]) -> str:
        digest = hashlib.sha256()

        def take(chunk: bytes) -> None:
            digest.update(chunk)
            file.write(chunk)

        async for chunk in self.read(sha256):
            await asyncio.to_thread(take, chunk)
        await asyncio.to_thread(file.flush)
        return digest.hexdigest()


class StagedObject:
    """Up to one part is gathered and put at once; more goes part by part to a staging key and is copied from there."""

    def __init__(self, store: ObjectStore, key: str) -> None:
        self._store = store
        self._key = key
        self._hash = hashlib.sha256()
        self._bytes = 0
        self._gathered = bytearray()
        self._writer: obstore.AsyncWritableFile | None = None

    async def write(self, chunk: bytes) -> None:
        """Appends. Raises `Unavailable`."""
        self._bytes += len(chunk)
        self._gathered += chunk
        if len(self._gathered) >= _PART_BYTES:
            await self._send()

    async def keep(self) -> Kept:
        """Durable under its digest when this returns."""
        if self._writer is None:
            return await self._put_at_once()
        with _translated(self._key):
            await self._send()
            await self._writer.close()
            sha256 = self._hash.hexdigest()
            created = not await self._exists(place(sha256))
            if created:
                # The same name means the same bytes: that another upload overtakes us does no harm.
                await obstore.copy_async(self._store, self._key, place(sha256))
        return Kept(sha256, self._bytes, created)

    async def discard(self) -> None:
        """Removes the staging key. A part-way multipart upload is the bucket's to clean up."""
        if self._writer is None:
            return
        with suppress(BlobMissing, Unavailable), _translated(self._key):
            await obstore.delete_async(self._store, self._key)

    async def _put_at_once(self) -> Kept:
        sha256 = hashlib.sha256(self._gathered).hexdigest()
        with _translated(sha256):
            try:
                await obstore.put_async(self._store, place(sha256), bytes(self._gathered), mode="create")
            except AlreadyExistsError:
                return Kept(sha256, self._bytes, created=False)
        return Kept(sha256, self._bytes, created=True)

    async def _send(self) -> None:
        part, self._gathered = bytes(self._gathered), bytearray()
        with _translated(self._key):
            if self._writer is None:
                self._writer = obstore.open_writer_async(
                    self._store, self._key, buffer_size=_PART_BYTES, max_concurrency=2
                )
            await asyncio.to_thread(self._hash.update, part)
            await self._writer.write(part)

    async def _exists(self, key: str) -> bool:
        try:
            await obstore.head_async(self._store, key)
        except FileNotFoundError:
            return False
        return True


def _may_be_plain() -> bool:
    """obstore reads this variable too, but forgets it once other client options are given."""
    return os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true"


@contextmanager
def _translated(key: str) -> Iterator[None]:
    """obstore's errors in our meanings."""
    try:
        yield
    except FileNotFoundError as error:
        raise BlobMissing(f"there is no blob {key}") from error
    except (BaseError, OSError) as error:
        raise Unavailable(f"the blob store does not answer: {str(error)[:300]}") from error
