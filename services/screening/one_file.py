"""Screens one file of this machine as the line would: no bus, no database, nothing kept afterwards."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from services.screening.findings import findings_of
from services.screening.live_index import DEFAULT_BANK, LiveIndex
from services.screening.look import Role, pipeline, wanted
from services.screening.pool import DecodePool, PoolSettings
from services.screening.registrar import answer
from services.screening.seen import Seen, features_of, seen_from
from services.screening.worker import ENGINE
from shared.blobs.files import FileBlobs
from shared.errors import ClearframeError
from shared.events import ReferenceDetails, ReferenceRefused, ReferenceSubmitted
from shared.findings import Finding
from shared.frozen import Frozen
from shared.ids import new_id
from shared.verdicts import ScreeningVersions


class Screened(Frozen):
    """What screening says of the file."""

    sha256: str
    findings: tuple[Finding, ...]
    versions: ScreeningVersions


class Unprotectable(ClearframeError):  # noqa: N818 - as the other meanings in shared/errors.py
    """This picture cannot serve as a reference."""


class OneFile:
    """Works to compare with, and then the file. Use through `open_one_file`, within one event loop."""

    def __init__(self, pool: DecodePool, blobs: FileBlobs) -> None:
        self._pool = pool
        self._blobs = blobs
        self._index = LiveIndex(blobs)

    async def protect(self, path: Path) -> None:
        """From now on this work is searched for. Raises Unprotectable with the reason; OSError."""
        seen = await self._look(path, "reference")
        now = datetime.now(UTC)
        submitted = ReferenceSubmitted(
            reference_id=new_id(),
            details=ReferenceDetails(title=path.stem, bank=DEFAULT_BANK),
            sha256=seen.picture.sha256,
            bytes=0,
            media_type="",
            submitted_at=now,
        )
        said = answer(submitted, seen, pipeline("reference"), now)
        if isinstance(said, ReferenceRefused):
            raise Unprotectable(said.detail)
        self._index.take(said)

    async def screen(self, path: Path) -> Screened:
        """The findings of one file. Raises OSError when it cannot be read; nothing for any content."""
        seen = await self._look(path, "query")
        matches = await self._index.search(seen, datetime.now(UTC))
        return Screened(
            sha256=seen.picture.sha256,
            findings=findings_of(seen.picture, path.name, matches),
            versions=ScreeningVersions(engine=ENGINE, index=str(len(self._index)), decoder=pipeline("query")),
        )

    async def _look(self, path: Path, role: Role) -> Seen:
        digest = await asyncio.to_thread(_digest, path)
        found = await self._pool.run(path, wanted(role))
        features = features_of(found)
        kept = [await self._keep(each) for each in features] if role == "reference" else []
        return Seen(seen_from(digest, found, kept), features)

    async def _keep(self, features: bytes) -> str:
        async with self._blobs.stage() as staged:
            await staged.write(features)
            return (await staged.keep()).sha256


@asynccontextmanager
async def open_one_file(settings: PoolSettings) -> AsyncIterator[OneFile]:
    """With decode processes and a folder that are gone after the block."""
    with tempfile.TemporaryDirectory(prefix="clearframe-check-") as folder:
        async with DecodePool(settings) as pool:
            blobs = FileBlobs(Path(folder))
            try:
                yield OneFile(pool, blobs)
            finally:
                await blobs.close()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
