"""What is known of each reference besides its place in the search tables: a local copy of the `references` topic.

A cache: when the file is missing, unreadable or of another version it begins anew and the topic fills it again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from shared.events import BankSettings, ReferenceRegistered

_VERSION = 1
_SCHEMA = """
CREATE TABLE works (
    id TEXT NOT NULL UNIQUE, number INTEGER NOT NULL, changed INTEGER NOT NULL, bank TEXT,
    sha256 BLOB, pdq BLOB, phash BLOB, features TEXT, record TEXT
);
CREATE INDEX works_changed ON works (changed);
CREATE INDEX works_sha256 ON works (sha256) WHERE record IS NOT NULL;
CREATE TABLE banks (name TEXT NOT NULL UNIQUE, settings TEXT, changed_at TEXT, works INTEGER NOT NULL DEFAULT 0);
CREATE TABLE state (reached INTEGER NOT NULL, event_id TEXT NOT NULL);
INSERT INTO state VALUES (0, '');
"""
_log = structlog.get_logger()


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
    """One writer, one thread. Kept in memory alone where no path is given."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._base = _connect(path)

    @property
    def reached(self) -> tuple[int, str]:
        """The offset up to which the topic is in here, and the id of the event before it."""
        offset, event_id = self._base.execute("SELECT reached, event_id FROM state").fetchone()
        return int(offset), str(event_id)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All changes within become one transaction."""
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")

    def reach(self, offset: int, event_id: str) -> None:
        """Everything before `offset` is in here."""
        self._base.execute("UPDATE state SET reached = ?, event_id = ?", (offset, event_id))

    def number_of(self, reference_id: str) -> int:
        """The number of the newest change that is known, 0 for none."""
        row = self._base.execute("SELECT number FROM works WHERE id = ?", (reference_id,)).fetchone()
        return int(row[0]) if row else 0

    def put(self, record: ReferenceRegistered, hashes: Hashes, changed: int) -> None:
        """A live reference, in place of what was known under its id; `changed` is the offset of its record."""
        self._count(record.reference_id, record.details.bank)
        prints = record.fingerprints
        self._base.execute(
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
        self._base.execute(
            "INSERT OR REPLACE INTO works (id, number, changed) VALUES (?, ?, ?)", (reference_id, number, changed)
        )

    def find(self, reference_id: str) -> ReferenceRegistered | None:
        """A live reference."""
        query = "SELECT record FROM works WHERE id = ? AND record IS NOT NULL"
        row = self._base.execute(query, (reference_id,)).fetchone()
        return ReferenceRegistered.model_validate_json(row[0]) if row else None

    def of_bytes(self, sha256: bytes) -> list[str]:
        """Live references of these very bytes, by id."""
        query = "SELECT id FROM works WHERE sha256 = ? AND record IS NOT NULL ORDER BY id"
        return [str(row[0]) for row in self._base.execute(query, (sha256,))]

    def changed_since(self, offset: int) -> Iterator[tuple[str, Hashes]]:
        """(id, hashes) of each reference that a record at `offset` or later changed; no hashes if it is gone."""
        query = "SELECT id, pdq, phash FROM works WHERE changed >= ? ORDER BY changed"
        for reference_id, pdq, phash in self._base.execute(query, (offset,)):
            yield str(reference_id), Hashes(pdq, phash)

    def features(self) -> Iterator[tuple[str, str]]:
        """(id, digest of its local features) of each live reference that has some."""
        query = "SELECT id, features FROM works WHERE features IS NOT NULL AND record IS NOT NULL"
        yield from self._base.execute(query)

    def set_bank(self, name: str, settings: BankSettings, changed_at: datetime) -> None:
        """The settings of a bank."""
        self._base.execute(
            "INSERT INTO banks (name, settings, changed_at) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET settings = excluded.settings, changed_at = excluded.changed_at",
            (name, settings.model_dump_json(), changed_at.isoformat()),
        )

    def bank(self, name: str) -> tuple[BankSettings, datetime | None]:
        """The settings in force and when they were made; the defaults, and None, where nobody has set any."""
        query = "SELECT settings, changed_at FROM banks WHERE name = ? AND settings IS NOT NULL"
        row = self._base.execute(query, (name,)).fetchone()
        if row is None:
            return BankSettings(), None
        return BankSettings.model_validate_json(row[0]), datetime.fromisoformat(row[1])

    def banks(self) -> tuple[Bank, ...]:
        """Every bank that was set or holds a reference, by name."""
        rows = self._base.execute("SELECT name, settings, works FROM banks ORDER BY name").fetchall()
        return tuple(
            Bank(name, BankSettings.model_validate_json(settings) if settings else BankSettings(), count)
            for name, settings, count in rows
            if settings or count
        )

    def __len__(self) -> int:
        return int(self._base.execute("SELECT coalesce(sum(works), 0) FROM banks").fetchone()[0])

    def begin_anew(self) -> None:
        """Forgets everything: this was the copy of another log."""
        self.close()
        if self._path is not None:
            _remove(self._path)
        self._base = _connect(self._path)

    def close(self) -> None:
        """Closes the file."""
        self._base.close()

    def _count(self, reference_id: str, bank: str | None) -> None:
        row = self._base.execute("SELECT bank FROM works WHERE id = ?", (reference_id,)).fetchone()
        before = row[0] if row else None
        if before == bank:
            return
        if before is not None:
            self._base.execute("UPDATE banks SET works = works - 1 WHERE name = ?", (before,))
        if bank is not None:
            self._base.execute(
                "INSERT INTO banks (name, works) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET works = works + 1",
                (bank,),
            )


def _connect(path: Path | None) -> sqlite3.Connection:
    try:
        base = _opened(path)
        if base.execute("PRAGMA user_version").fetchone()[0] in (0, _VERSION):
            return _with_tables(base)
        base.close()
        reason = "of another version"
    except sqlite3.DatabaseError as error:
        if path is None:
            raise
        reason = str(error)
    _log.warning("index_catalogue_begun_anew", path=str(path), reason=reason)
    assert path is not None
    _remove(path)
    return _with_tables(_opened(path))


def _opened(path: Path | None) -> sqlite3.Connection:
    base = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
    base.execute("PRAGMA journal_mode = WAL")
    base.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last batches: the topic has them still
    return base


def _with_tables(base: sqlite3.Connection) -> sqlite3.Connection:
    if base.execute("PRAGMA user_version").fetchone()[0] == 0:
        base.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
    return base


def _remove(path: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
