"""What is known of each reference besides its place in the search tables: a local copy of the `references` topic.

A cache: when the file is missing, unreadable or of another version it begins anew and the topic fills it again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError

from shared.errors import OutOfSpace, Unavailable
from shared.events import BankSettings, ReferenceRegistered

_VERSION = 3
_MARKS = 16
_SCHEMA = """
CREATE TABLE works (
    id TEXT NOT NULL UNIQUE, number INTEGER NOT NULL, changed INTEGER NOT NULL, bank TEXT,
    sha256 BLOB, pdq BLOB, phash BLOB, features TEXT, record TEXT
);
CREATE INDEX works_changed ON works (changed);
CREATE INDEX works_sha256 ON works (sha256) WHERE record IS NOT NULL;
CREATE INDEX works_features ON works (id, features) WHERE features IS NOT NULL;
CREATE TABLE banks (name TEXT NOT NULL UNIQUE, settings TEXT, changed_at TEXT, works INTEGER NOT NULL DEFAULT 0);
CREATE TABLE marks (reached INTEGER NOT NULL, event_id TEXT NOT NULL);
"""
# SQLITE_ERROR: tables or columns that we made are missing. 0: a text that is no UTF-8 any more.
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, 0}
_log = structlog.get_logger()


class CatalogueDamaged(Unavailable):
    """The file is not what was written: begin it anew, the topic fills it again."""


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank as it stands: its settings and how many references it holds."""

    name: str
    settings: BankSettings
    references: int


@dataclass(frozen=True, slots=True)
class Hashes:
    """What a reference is searched by: 32 bytes of PDQ, 8 of pHash, None where it has no usable one."""

    pdq: bytes | None = None
    phash: bytes | None = None


class Catalogue:
    """One writer, one thread. Kept in memory alone where no path is given.

    Every call raises `CatalogueDamaged`, `OutOfSpace` or `Unavailable` where the file cannot go on.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._base = _connect(path)

    def marks(self) -> list[tuple[int, str]]:
        """The newest first: an offset up to which the topic was in here, and the id of the event before it."""
        return [(int(offset), str(event_id)) for offset, event_id in self._ask("SELECT * FROM marks ORDER BY 1 DESC")]

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All changes within become one transaction."""
        self._ask("BEGIN IMMEDIATE")
        try:
            yield
            self._ask("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # some failures have rolled back already
                self._base.execute("ROLLBACK")
            raise

    def reach(self, offset: int, event_id: str) -> None:
        """Everything before `offset` is in here."""
        self._ask("INSERT INTO marks VALUES (?, ?)", (offset, event_id))
        self._ask(
            "DELETE FROM marks WHERE reached NOT IN (SELECT reached FROM marks ORDER BY 1 DESC LIMIT ?)", (_MARKS,)
        )

    def number_of(self, reference_id: str) -> int:
        """The number of the newest change that is known, 0 for none."""
        rows = self._ask("SELECT number FROM works WHERE id = ?", (reference_id,))
        return int(rows[0][0]) if rows else 0

    def put(self, record: ReferenceRegistered, hashes: Hashes, changed: int) -> None:
        """A live reference, in place of what was known under its id; `changed` is the offset of its record."""
        self._count(record.reference_id, record.details.bank)
        prints = record.fingerprints
        self._ask(
            "INSERT OR REPLACE INTO works VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.reference_id,
                record.number,
                changed,
                record.details.bank,
                bytes.fromhex(prints.sha256),
                hashes.pdq,
                hashes.phash,
                record.features_sha256,
                record.model_dump_json(exclude_defaults=True),
            ),
        )

    def forget(self, reference_id: str, number: int, changed: int) -> None:
        """No longer live; its number is kept, so that an older record cannot bring it back."""
        self._count(reference_id, None)
        self._ask(
            "INSERT OR REPLACE INTO works (id, number, changed) VALUES (?, ?, ?)", (reference_id, number, changed)
        )

    def find(self, reference_id: str) -> ReferenceRegistered | None:
        """A live reference."""
        rows = self._ask("SELECT record FROM works WHERE id = ? AND record IS NOT NULL", (reference_id,))
        try:
            return ReferenceRegistered.model_validate_json(rows[0][0]) if rows else None
        except ValidationError as error:
            raise CatalogueDamaged(f"the record of {reference_id} is not as it was written") from error

    def of_bytes(self, sha256: bytes) -> list[str]:
        """Live references of these very bytes, by id."""
        query = "SELECT id FROM works WHERE sha256 = ? AND record IS NOT NULL ORDER BY id"
        return [str(row[0]) for row in self._ask(query, (sha256,))]

    def changed_since(self, offset: int) -> Iterator[tuple[str, Hashes]]:
        """(id, hashes) of each reference that a record at `offset` or later changed; no hashes if it is gone."""
        query = "SELECT id, pdq, phash FROM works WHERE changed >= ? ORDER BY changed"
        with _in_our_words():
            for reference_id, pdq, phash in self._base.execute(query, (offset,)):
                yield str(reference_id), Hashes(pdq, phash)

    def features(self) -> Iterator[tuple[str, str]]:
        """(id, digest of its local features) of each live reference that has some."""
        with _in_our_words():
            yield from self._base.execute("SELECT id, features FROM works WHERE features IS NOT NULL")

    def set_bank(self, name: str, settings: BankSettings, changed_at: datetime) -> None:
        """The settings of a bank."""
        self._ask(
            "INSERT INTO banks (name, settings, changed_at) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET settings = excluded.settings, changed_at = excluded.changed_at",
            (name, settings.model_dump_json(), changed_at.isoformat()),
        )

    def bank(self, name: str) -> tuple[BankSettings, datetime | None]:
        """The settings in force and when they were made; the defaults, and None, where nobody has set any."""
        query = "SELECT settings, changed_at FROM banks WHERE name = ? AND settings IS NOT NULL"
        rows = self._ask(query, (name,))
        if not rows:
            return BankSettings(), None
        return _settings(rows[0][0]), datetime.fromisoformat(rows[0][1])

    def banks(self) -> tuple[Bank, ...]:
        """Every bank that was set or holds a reference, by name."""
        rows = self._ask("SELECT name, settings, works FROM banks ORDER BY name")
        return tuple(
            Bank(name, _settings(settings) if settings else BankSettings(), count)
            for name, settings, count in rows
            if settings or count
        )

    def __len__(self) -> int:
        return int(self._ask("SELECT coalesce(sum(works), 0) FROM banks")[0][0])

    def begin_anew(self) -> None:
        """Forgets everything: this was the copy of another log."""
        self.close()
        if self._path is not None:
            _remove(self._path)
        self._base = _connect(self._path)

    def close(self) -> None:
        """Closes the file."""
        self._base.close()

    def _ask(self, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with _in_our_words():
            return self._base.execute(statement, values).fetchall()

    def _count(self, reference_id: str, bank: str | None) -> None:
        rows = self._ask("SELECT bank FROM works WHERE id = ?", (reference_id,))
        before = rows[0][0] if rows else None
        if before == bank:
            return
        if before is not None:
            self._ask("UPDATE banks SET works = works - 1 WHERE name = ?", (before,))
        if bank is not None:
            self._ask(
                "INSERT INTO banks (name, works) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET works = works + 1",
                (bank,),
            )


def _connect(path: Path | None) -> sqlite3.Connection:
    try:
        return _of_this_version(path)
    except CatalogueDamaged as damage:
        assert path is not None
        _log.warning("index_catalogue_begun_anew", path=str(path), reason=str(damage))
        _remove(path)
        return _of_this_version(path)


def _of_this_version(path: Path | None) -> sqlite3.Connection:
    with _in_our_words():
        base = _opened(path)
        version = base.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            base.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
        elif version != _VERSION:
            base.close()
            raise CatalogueDamaged(f"it is of version {version}, not {_VERSION}")
        return base


def _opened(path: Path | None) -> sqlite3.Connection:
    # No waiting for locks: the folder is ours alone, and this is the event loop's thread.
    base = sqlite3.connect(path or ":memory:", timeout=0, isolation_level=None, check_same_thread=False)
    base.execute("PRAGMA journal_mode = WAL")
    base.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last batches: the topic has them still
    return base


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.ProgrammingError):  # ours, not the file's
            raise
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _DAMAGED:
            raise CatalogueDamaged(f"the catalogue of the index cannot be read: {error}") from error
        if code == sqlite3.SQLITE_FULL:
            raise OutOfSpace("the disk of the index is full: free some space") from error
        raise Unavailable(f"the catalogue of the index does not answer: {error}") from error


def _settings(document: str) -> BankSettings:
    try:
        return BankSettings.model_validate_json(document)
    except ValidationError as error:
        raise CatalogueDamaged("the settings of a bank are not as they were written") from error


def _remove(path: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
