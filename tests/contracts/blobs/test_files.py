"""What local files promise beyond the contract: crashes, damage, a full disk, modes."""

import asyncio
import hashlib
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.blobs.files import FileBlobs
from shared.errors import BlobDamaged, OutOfSpace, Unavailable

DATA = b"a picture" * 100_000
DIGEST = hashlib.sha256(DATA).hexdigest()
KILLED_WHILE_KEEPING = Path(__file__).with_name("killed_while_keeping.py")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
async def files(folder: Path) -> AsyncIterator[FileBlobs]:
    files = FileBlobs(folder)
    yield files
    await files.close()


async def put(files: FileBlobs, data: bytes) -> str:
    async with files.stage() as staged:
        await staged.write(data)
        return (await staged.keep()).sha256


def all_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_blob_lies_under_its_name_for_its_owner_alone(files: FileBlobs, folder: Path) -> None:
    await put(files, DATA)
    path = folder / DIGEST[:2] / DIGEST[2:4] / DIGEST
    assert all_files(folder) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for parent in [path.parent, path.parent.parent, folder, folder / "staging"]:
        assert stat.S_IMODE(parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("harm", [lambda data: data[:-1], lambda data: b"b" + data[1:], lambda _: b""])
async def test_damage_is_found_and_healed_by_the_same_upload(files: FileBlobs, folder: Path, harm: object) -> None:
    await put(files, DATA)
    path = folder / DIGEST[:2] / DIGEST[2:4] / DIGEST
    path.write_bytes(harm(DATA))  # type: ignore[operator]
    with pytest.raises(BlobDamaged, match=DIGEST):
        async with files.as_file(DIGEST):
            pass
    await put(files, DATA)
    async with files.as_file(DIGEST) as healed:
        assert healed.read_bytes() == DATA


@pytest.mark.parametrize("operation", ["write", "fsync", "link"])
def test_a_kill_before_the_end_leaves_nothing_visible(folder: Path, operation: str) -> None:
    script = [sys.executable, str(KILLED_WHILE_KEEPING), str(folder), operation, "payload"]
    assert subprocess.run(script, check=False, timeout=30).returncode == -signal.SIGKILL
    digest = hashlib.sha256(b"payload").hexdigest()
    assert not [path for path in all_files(folder) if path.name == digest]


async def test_leftovers_older_than_a_day_are_removed_at_open(files: FileBlobs, folder: Path) -> None:
    old, young = folder / "staging" / "old", folder / "staging" / "young"
    for path in (old, young):
        path.write_bytes(b"left")
    yesterday = time.time() - 90_000
    os.utime(old, (yesterday, yesterday))
    await FileBlobs(folder).close()
    assert (old.exists(), young.exists()) == (False, True)


async def test_a_cancelled_upload_leaves_nothing(files: FileBlobs, folder: Path) -> None:
    written = asyncio.Event()

    async def upload() -> None:
        async with files.stage() as staged:
            await staged.write(bytes(3 << 20))
            written.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(upload())
    await written.wait()
    assert len(all_files(folder)) == 1
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert all_files(folder) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
async def test_a_full_disk_says_so(files: FileBlobs, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, *rest: os.dup(full) if "staging" in str(path) else real(path, *rest))
    with pytest.raises(OutOfSpace, match="disk"):
        await put(files, DATA)
    monkeypatch.undo()
    os.close(full)
    assert all_files(folder) == []
    assert await put(files, DATA) == DIGEST


async def test_a_folder_that_went_away_is_unavailable(files: FileBlobs, folder: Path) -> None:
    (folder / "staging").rmdir()
    with pytest.raises(Unavailable, match="blob folder"):
        await put(files, DATA)
    with pytest.raises(Unavailable):
        await files.ping()
