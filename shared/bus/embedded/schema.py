"""The file: its tables, and how it is opened."""

import sqlite3
import time
from pathlib import Path

from shared.errors import ConfigurationError

VERSION = 1
_OPENING_SECONDS = 5.0
_BUSY_MS = 2  # SQLite's own waiting gets coarse and unfair; `database` tries again by itself

# A record's id is its partition's id and its offset in one number: the table is the log, and needs no index.
OFFSET_BITS = 40

_TABLES = """
CREATE TABLE IF NOT EXISTS topics(
    name TEXT PRIMARY KEY, partitions INTEGER NOT NULL, compacted INTEGER NOT NULL, keep_for_ever INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS partitions(
    id INTEGER PRIMARY KEY, topic TEXT NOT NULL, number INTEGER NOT NULL, next_offset INTEGER NOT NULL DEFAULT 0,
    UNIQUE(topic, number)
);
CREATE TABLE IF NOT EXISTS records(
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, value BLOB NOT NULL, headers TEXT NOT NULL, timestamp_ms INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS latest(
    partition_id INTEGER NOT NULL, key TEXT NOT NULL, record_id INTEGER NOT NULL, PRIMARY KEY(partition_id, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS consumer_groups(name TEXT PRIMARY KEY, generation INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS members(
    id TEXT PRIMARY KEY, consumer_group TEXT NOT NULL, topics TEXT NOT NULL, presence TEXT NOT NULL,
    seen_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claims(
    consumer_group TEXT NOT NULL, partition_id INTEGER NOT NULL, member TEXT NOT NULL, generation INTEGER NOT NULL,
    PRIMARY KEY(consumer_group, partition_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS committed(
    consumer_group TEXT NOT NULL, partition_id INTEGER NOT NULL, next_offset INTEGER NOT NULL,
    PRIMARY KEY(consumer_group, partition_id)
) WITHOUT ROWID;
"""


def open_file(path: Path) -> sqlite3.Connection:
    """A connection in WAL mode that syncs each commit. Raises `ConfigurationError` for a file of a later version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_OPENING_SECONDS, isolation_level=None)
    try:
        _use_wal(connection)
        connection.execute("PRAGMA synchronous=FULL")
        _create(connection, path)
        connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Several processes may start at once, and SQLite does not wait for this change of mode."""
    give_up_at = time.monotonic() + _OPENING_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.01)
        else:
            return


def _create(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found == 0:  # another process may find so too
        connection.executescript(f"BEGIN IMMEDIATE;{_TABLES}PRAGMA user_version={VERSION};COMMIT;")
    elif found > VERSION:
        raise ConfigurationError(f"{path} was written by a later version of Clearframe ({found} > {VERSION}): upgrade")
