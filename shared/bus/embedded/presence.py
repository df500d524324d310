"""Whether a process lives, told by a lock that the kernel drops when it dies: its successor need not wait."""

import os
import sys
from pathlib import Path

from shared.ids import new_id

if sys.platform == "win32":  # there, a dead member is noticed by its missing heartbeats alone

    def _lock(_descriptor: int) -> bool:
        return False
else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        """Whether the lock could be had. It belongs to this opening of the file, also against our own process."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


class Presence:
    """This process, as the others see it. `folder` is shared by all processes of a bus file."""

    def __init__(self, folder: Path) -> None:
        self.id = new_id()
        self._file = folder / self.id
        self._descriptor: int | None = None

    def announce(self) -> None:
        """Takes the lock, once. Raises `OSError`."""
        if self._descriptor is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
            _lock(self._descriptor)

    def is_gone(self, other: str) -> bool:
        """Whether the process that announced itself under this id has ended. In doubt, it has not."""
        if other == self.id:
            return False
        path = self._file.parent / other
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        try:
            gone = _lock(descriptor)
            if gone:
                path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)
        return gone

    def withdraw(self) -> None:
        """Lets go of the lock."""
        if self._descriptor is not None:
            self._file.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None
