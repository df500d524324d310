"""What a blob store promises, wherever the bytes lie."""

import asyncio
import hashlib

import pytest

from shared.blobs.port import Blobs, Kept
from shared.errors import BlobMissing

LARGE = bytes(range(256)) * 80_000  # 20 MB: several parts, and their end within one
NOBODY = "0" * 64


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def put(blobs: Blobs, data: bytes, *, chunk: int = 300_000) -> Kept:
    async with blobs.stage() as staged:
        for start in range(0, len(data), chunk):
            await staged.write(data[start : start + chunk])
        return await staged.keep()


async def got(blobs: Blobs, digest: str, start: int = 0, length: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in blobs.read(digest, start=start, length=length)])


@pytest.mark.parametrize("data", [b"", b"small", LARGE], ids=["empty", "small", "large"])
async def test_what_was_kept_is_read_again(blobs: Blobs, data: bytes) -> None:
    assert await put(blobs, data) == Kept(sha256(data), len(data), created=True)
    assert await got(blobs, sha256(data)) == data
    assert await blobs.size(sha256(data)) == len(data)
    async with blobs.as_file(sha256(data)) as path:
        assert path.read_bytes() == data


@pytest.mark.parametrize("data", [b"small", LARGE], ids=["small", "large"])
async def test_the_same_bytes_are_kept_once(blobs: Blobs, data: bytes) -> None:
    assert (await put(blobs, data)).created
    assert await put(blobs, data, chunk=70_001) == Kept(sha256(data), len(data), created=False)


async def test_the_same_bytes_at_the_same_time(blobs: Blobs) -> None:
    kept = await asyncio.gather(*(put(blobs, b"same" * 50_000) for _ in range(12)))
    assert len({one.sha256 for one in kept}) == 1
    assert sum(one.created for one in kept) == 1
    assert await got(blobs, kept[0].sha256) == b"same" * 50_000


@pytest.mark.parametrize(
    ("start", "length"),
    [
        (0, 10),
        (5, 4),
        (0, None),
        (1_048_570, 20),
        (len(LARGE) - 3, 100),
        (len(LARGE), 5),
        (len(LARGE) + 9, None),
        (7, 0),
    ],
)
async def test_ranges(blobs: Blobs, start: int, length: int | None) -> None:
    await put(blobs, LARGE)
    end = None if length is None else start + length
    assert await got(blobs, sha256(LARGE), start, length) == LARGE[start:end]


@pytest.mark.parametrize("data", [b"small", LARGE], ids=["small", "large"])
async def test_what_was_not_kept_is_nowhere(blobs: Blobs, data: bytes) -> None:
    with pytest.raises(ZeroDivisionError):
        async with blobs.stage() as staged:
            await staged.write(data)
            raise ZeroDivisionError
    assert await blobs.size(sha256(data)) is None


@pytest.mark.parametrize(
    "name", [NOBODY, "..", "../../etc/passwd", "", "AB" * 32, "a" * 63, "/etc/passwd", f"{NOBODY}\n"]
)
async def test_what_is_no_blob_is_missing(blobs: Blobs, name: str) -> None:
    assert await blobs.size(name) is None
    with pytest.raises(BlobMissing):
        await got(blobs, name)
    with pytest.raises(BlobMissing):
        async with blobs.as_file(name):
            pass


async def test_it_answers(blobs: Blobs) -> None:
    await blobs.ping()
