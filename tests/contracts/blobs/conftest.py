"""The same suite over local files and object stores."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.blobs.port import Blobs
from shared.connect import open_blobs
from shared.ids import new_id


@pytest.fixture(params=["files", "memory", pytest.param("s3", marks=pytest.mark.real)])
async def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Blobs]:
    """An empty store."""
    blobs = _opened(request, tmp_path)
    yield blobs
    await blobs.close()


def _opened(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "files":
        return open_blobs(f"file://{tmp_path}/blobs")
    if request.param == "s3":
        return open_blobs(f"{request.getfixturevalue('s3_url')}/{new_id()}")
    obstore = pytest.importorskip("obstore.store")
    from shared.blobs.objects import ObjectBlobs

    return ObjectBlobs(obstore.MemoryStore())
