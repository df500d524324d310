"""The folder that a process keeps its search index in: one process at a time, and nothing that cannot be made again."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from shared.errors import ConfigurationError

_log = structlog.get_logger()


@contextmanager
def own_folder(wanted: Path) -> Iterator[Path]:
    """`wanted`, made and locked; a folder that is gone afterwards where another process holds that one.

    Raises `ConfigurationError` where it cannot be written.
    """
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        handle = os.open(wanted / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"the folder of the search index cannot be written ({error}): name another in CLEARFRAME_SCREENING__INDEX"
        ) from error
    try:
        if _locked(handle):
            yield wanted
        else:
            private = Path(tempfile.mkdtemp(prefix="clearframe-index-"))
            _log.warning("index_folder_in_use", folder=str(wanted), instead=str(private))
            try:
                yield private
            finally:
                shutil.rmtree(private, ignore_errors=True)
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
