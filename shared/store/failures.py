"""A driver's exceptions in our three meanings; programming errors stay what they are."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.errors import ClearframeError, OutOfSpace, Retry, Unavailable

_FULL = "the database's disk is full"
_SERIALISATION = {"40001", "40P01", "55P03"}  # serialisation failure, deadlock, lock not available
_AWAY = {"08", "53", "57"}  # connection, resources (too many connections), shut down


@contextmanager
def translated() -> Iterator[None]:
    """Raises `Retry`, `Unavailable` or `OutOfSpace` in place of what the driver raised."""
    try:
        yield
    except (DBAPIError, OSError, PoolTimeout) as error:
        meant = meaning(error)
        if meant is None:
            raise
        raise meant from error


def meaning(error: BaseException) -> ClearframeError | None:
    """What an exception says about the database; None when it says nothing."""
    if isinstance(error, PoolTimeout):
        return Retry("the database is busy: no connection came free")
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, OSError):
        return OutOfSpace(_FULL) if cause.errno == errno.ENOSPC else Unavailable(_silent(cause))
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        return _of_sqlite(code & 0xFF, str(cause))
    return _of_postgresql(
        getattr(cause, "sqlstate", None) or "", cause, getattr(error, "connection_invalidated", False)
    )


def _of_sqlite(code: int, text: str) -> ClearframeError | None:
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return Retry(text)
    if code == sqlite3.SQLITE_FULL:
        return OutOfSpace(_FULL)
    if code in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}:
        return Unavailable(f"the database cannot be read: {text}")
    return None


def _of_postgresql(state: str, cause: BaseException | None, invalidated: bool) -> ClearframeError | None:
    if state in _SERIALISATION:
        return Retry(str(cause))
    if state == "53100":
        return OutOfSpace(_FULL)
    return Unavailable(_silent(cause)) if invalidated or state[:2] in _AWAY else None


def _silent(cause: BaseException | None) -> str:
    return f"the database does not answer: {cause or type(cause).__name__}"
