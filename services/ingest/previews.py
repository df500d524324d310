"""Previews: always re-encoded, in a limited process, once for each content."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi.responses import StreamingResponse
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.settings import IngestSettings
from services.ingest.tables import previews
from shared.blobs.port import Blobs
from shared.store.columns import upsert
from shared.store.engine import Store
from shared.web.problems import Problem

_CHILD = Path(__file__).with_name("preview_child.py")
_EXIT_REASON = 3
_MOST_BYTES = 20_000_000
SANDBOX = {"Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'"}
_PASSING = frozenset({"resource_limit"})  # a quieter moment may do better: not kept


class Previews:
    """Makes previews, a few at a time, and keeps them as blobs."""

    def __init__(self, store: Store, blobs: Blobs, settings: IngestSettings) -> None:
        self._store = store
        self._blobs = blobs
        self._settings = settings
        self._places = asyncio.Semaphore(settings.previews_at_once)

    async def shown(self, sha256: str) -> StreamingResponse:
        """The answer with the preview of a content; raises as `preview` does."""
        digest = await self.preview(sha256)
        headers = {"Cache-Control": "private, max-age=3600", **SANDBOX}
        return StreamingResponse(self._blobs.read(digest), media_type="image/jpeg", headers=headers)

    async def preview(self, sha256: str) -> str:
        """The digest of the preview's JPEG. Raises a 422 `Problem` when there can be none, `BlobMissing`."""
        async with self._store.read() as connection:
            row = (await connection.execute(select(previews).where(previews.c.sha256 == sha256))).first()
        if row is None or (row.preview is not None and await self._blobs.size(row.preview) is None):
            return await self._make(sha256)
        return _digest(row.preview, row.reason)

    async def _make(self, sha256: str) -> str:
        async with self._places, self._blobs.as_file(sha256) as path:
            data, reason = await self._render(path)
        digest = await self._keep(data) if data else None
        if reason not in _PASSING:
            await self._store.together(lambda connection: _record(connection, sha256, digest, reason))
        return _digest(digest, reason)

    async def _keep(self, data: bytes) -> str:
        async with self._blobs.stage() as staged:
            await staged.write(data)
            return (await staged.keep()).sha256

    async def _render(self, path: Path) -> tuple[bytes, str | None]:
        """The JPEG, or why there is none."""
        settings = self._settings
        limits = (settings.preview_pixels, settings.preview_memory_mb << 20, max(1, round(settings.preview_seconds)))
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(_CHILD),
            str(path),
            *map(str, limits),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={},
        )
        try:
            async with asyncio.timeout(settings.preview_seconds):
                out, said = await child.communicate()
        except TimeoutError:
            return b"", "resource_limit"
        finally:
            if child.returncode is None:
                child.kill()
                await child.communicate()
        if child.returncode == 0 and 0 < len(out) <= _MOST_BYTES:
            return out, None
        return b"", said.decode("ascii", "replace") if child.returncode == _EXIT_REASON else "resource_limit"


async def _record(connection: AsyncConnection, sha256: str, preview: str | None, reason: str | None) -> None:
    values = {"preview": preview, "reason": reason, "at": datetime.now(UTC)}
    statement = upsert(connection, previews).values(sha256=sha256, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["sha256"], set_=values))


def _digest(preview: str | None, reason: str | None) -> str:
    if preview is None:
        raise Problem(422, "no_preview", f"the content cannot be shown as a picture ({reason}); download it instead")
    return preview


def binary(media_type: str) -> dict[int | str, dict[str, Any]]:
    """How an answer that is a file is documented."""
    return {200: {"description": "The bytes", "content": {media_type: {"schema": {"type": "string"}}}}}
