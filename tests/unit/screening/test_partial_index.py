"""The features of references are read when first asked; what cannot be read is never taken for 'no match'."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from services.screening.matching.local import extract_features
from services.screening.partial_index import PartialIndex
from shared.blobs.files import FileBlobs
from shared.errors import Retry
from tests import drawings

LUMA = np.asarray(drawings.poster(5).convert("L"))


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[FileBlobs]:
    opened = FileBlobs(tmp_path)
    yield opened
    await opened.close()


async def _kept(blobs: FileBlobs) -> str:
    async with blobs.stage() as staged:
        await staged.write(extract_features(LUMA, "reference").to_bytes())
        return (await staged.keep()).sha256


def _asked() -> list[tuple[str, bytes]]:
    return [("picture", extract_features(LUMA, "query").to_bytes())]


async def test_a_reference_is_found_until_it_is_forgotten(blobs: FileBlobs) -> None:
    index = PartialIndex(blobs)
    index.put("r1", await _kept(blobs))
    assert [(hit.reference_id, view) for hit, view in await index.search(_asked(), 0.5)] == [("r1", "picture")]
    index.forget("r1")
    assert await index.search(_asked(), 0.5) == []


async def test_features_that_are_away_make_the_search_wait_and_are_found_later(
    blobs: FileBlobs, tmp_path: Path
) -> None:
    digest = await _kept(blobs)
    (file,) = [path for path in tmp_path.rglob(digest) if path.is_file()]
    content = file.read_bytes()
    file.unlink()
    index = PartialIndex(blobs)
    index.put("r1", digest)
    for _ in range(2):
        with pytest.raises(Retry, match="r1"):
            await index.search(_asked(), 0.5)
    assert index.missing == 1
    file.write_bytes(content)
    assert [hit.reference_id for hit, _ in await index.search(_asked(), 0.5)] == ["r1"]
    assert index.missing == 0


async def test_damaged_features_are_not_searched_with_and_a_withdrawal_frees_the_line(
    blobs: FileBlobs, tmp_path: Path
) -> None:
    digest = await _kept(blobs)
    (file,) = [path for path in tmp_path.rglob(digest) if path.is_file()]
    file.chmod(0o600)
    file.write_bytes(file.read_bytes()[:16] + bytes(len(file.read_bytes()) - 16))
    index = PartialIndex(blobs)
    index.put("r1", digest)
    with pytest.raises(Retry):
        await index.search(_asked(), 0.5)
    index.forget("r1")
    assert await index.search(_asked(), 0.5) == []


async def test_what_can_be_read_is_not_read_again_because_of_one_that_cannot(blobs: FileBlobs, tmp_path: Path) -> None:
    digest = await _kept(blobs)
    index = PartialIndex(blobs)
    for number in range(100):
        index.put(f"r{number}", digest)
    index.put("gone", "00" * 32)
    with pytest.raises(Retry, match="gone"):
        await index.search(_asked(), 0.5)
    for file in (path for path in tmp_path.rglob(digest) if path.is_file()):
        file.unlink()
    index.forget("gone")
    assert len(await index.search(_asked(), 0.5)) > 1
    assert index.missing == 0
