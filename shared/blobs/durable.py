"""Durable files: what must be synced, and in which order, so that a name is there after a crash or not at all."""

import errno
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shared.errors import OutOfSpace, Unavailable

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # the disk, a quota, the process's own limit
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}


class Folders:
    """Makes folders below `root` (mode 0700) and syncs their names, once a process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._durable: set[Path] = set()

    def make(self, folder: Path) -> None:
        """`folder` exists and its name survives a crash. One that is there may be another's who has yet to sync it."""
        if folder in self._durable:
            return
        if folder != self.root:
            self.make(folder.parent)
        folder.mkdir(mode=0o700, parents=folder == self.root, exist_ok=True)
        sync_folder(folder.parent)
        self._durable.add(folder)


def move_into_place(staged: Path, target: Path) -> bool:
    """Gives a synced file its name for good; false when it had been there already, intact."""
    try:
        os.link(staged, target)
    except FileExistsError:
        # The same name means the same bytes, unless the disk damaged them: then ours heal them.
        if digest_of(target) == target.name:
            sync_folder(target.parent)
            return False
        staged.replace(target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        staged.replace(target)
    sync_folder(target.parent)
    return True


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """All of `data`; `os.write` may take less."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_older(folder: Path, seconds: float) -> None:
    """Removes what a killed process left behind."""
    before = time.time() - seconds
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()


@contextmanager
def translated() -> Iterator[None]:
    """The file system's errors in our meanings."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise OutOfSpace("the disk of the blobs is full") from error
        raise Unavailable(f"the blob folder does not answer: {error}") from error
