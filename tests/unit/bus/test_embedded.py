"""What is particular to the embedded bus: its file, its clock, its commits."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.bus.embedded import EmbeddedBus
from shared.bus.embedded.database import Database
from shared.bus.port import Bus, Record, Subscription, TopicSpec
from shared.errors import ConfigurationError, OutOfSpace, Unavailable

ONE = [Record("t", "key", b"1", {})]


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[EmbeddedBus]:
    bus = EmbeddedBus(tmp_path / "bus.db")
    await bus.ensure_topics([TopicSpec("t", 1)])
    yield bus
    await bus.close()


async def fetched(subscription: Subscription) -> int:
    return len(await subscription.fetch(max_records=10, wait=0))


async def test_a_topic_nobody_created_is_a_mistake_in_the_configuration(bus: EmbeddedBus) -> None:
    with pytest.raises(ConfigurationError, match="'tt' does not exist"):
        await bus.publish([Record("tt", "key", b"", {})])


async def test_one_bad_publish_among_many_is_its_callers_alone(bus: EmbeddedBus) -> None:
    good = [bus.publish(ONE) for _ in range(20)]
    results = await asyncio.gather(*good, bus.publish([*ONE, Record("tt", "key", b"", {})]), return_exceptions=True)
    assert [type(result) for result in results] == [type(None)] * 20 + [ConfigurationError]
    assert await bus.end_offset("t") == 20


async def test_a_full_disk_refuses_and_recovers(tmp_path: Path) -> None:
    """SQLite reports the limit on pages and a full disk alike."""
    database = Database(tmp_path / "db", on_foreign_change=lambda: None)
    await database.write(lambda c: c.execute("CREATE TABLE filling(x)").fetchall())
    pages = await database.read(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    await database.read(lambda c: c.execute(f"PRAGMA max_page_count={pages + 2}").fetchone())
    with pytest.raises(OutOfSpace, match="free some space"):
        await database.write(lambda c: c.execute("INSERT INTO filling VALUES (zeroblob(100000))").fetchall())
    await database.write(lambda c: c.execute("INSERT INTO filling VALUES (1)").fetchall())
    await database.read(lambda c: c.execute(f"PRAGMA max_page_count={pages + 200}").fetchone())
    await database.write(lambda c: c.execute("INSERT INTO filling VALUES (zeroblob(100000))").fetchall())
    assert await database.read(lambda c: c.execute("SELECT count(*) FROM filling").fetchone()[0]) == 2
    await database.close()


async def test_every_commit_is_synced(tmp_path: Path) -> None:
    database = Database(tmp_path / "db", on_foreign_change=lambda: None)
    journal = await database.read(lambda c: c.execute("PRAGMA journal_mode").fetchone()[0])
    synchronous = await database.read(lambda c: c.execute("PRAGMA synchronous").fetchone()[0])
    await database.close()
    assert (journal, synchronous) == ("wal", 2)


async def test_a_locked_file_is_unavailable(tmp_path: Path) -> None:
    database = Database(tmp_path / "db", on_foreign_change=lambda: None, busy_seconds=0.05)
    await database.read(lambda c: None)
    with closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked"):
            await database.write(lambda c: None)
    await database.write(lambda c: None)
    await database.close()


async def test_a_folder_that_cannot_be_made_is_unavailable_until_it_can(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file is in the way")
    bus = EmbeddedBus(tmp_path / "folder" / "bus.db")
    with pytest.raises(Unavailable):
        await bus.ping()
    (tmp_path / "folder").unlink()
    await bus.ping()
    await bus.close()
    with pytest.raises(Unavailable, match="closed"):
        await bus.ping()


async def test_a_file_of_a_later_version_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "bus.db")) as connection:
        connection.execute("PRAGMA user_version=99")
    bus = EmbeddedBus(tmp_path / "bus.db")
    with pytest.raises(ConfigurationError, match="later version"):
        await bus.ping()
    await bus.close()


@pytest.mark.parametrize("jump", [11.0, -500.0])
async def test_a_silent_member_loses_its_partitions(tmp_path: Path, jump: float) -> None:
    """After the session, or at once where its last heartbeat is from before the machine's last start."""
    clock = Clock()
    one, two = (EmbeddedBus(tmp_path / "bus.db", clock=clock) for _ in range(2))
    await one.ensure_topics([TopicSpec("t", 1)])
    await one.publish(ONE)
    async with one.subscribe("g", ["t"]) as silent, two.subscribe("g", ["t"]) as heir:
        (message,) = await silent.fetch(max_records=10, wait=0)
        await heir.keep_alive()
        assert await fetched(heir) == 0
        clock.now += jump
        await heir.keep_alive()
        assert await fetched(heir) == 1
        await silent.commit([message])
        assert await one.lag("g", ["t"]) == 1
    await one.close()
    await two.close()


async def test_a_member_that_was_given_up_joins_again(tmp_path: Path) -> None:
    clock = Clock()
    bus = EmbeddedBus(tmp_path / "bus.db", clock=clock)
    await bus.ensure_topics([TopicSpec("t", 1)])
    await bus.publish(ONE)
    async with bus.subscribe("g", ["t"]) as silent:
        (old,) = await silent.fetch(max_records=10, wait=0)
        clock.now += 60
        async with bus.subscribe("g", ["t"]) as guest:
            assert await fetched(guest) == 1
        assert await fetched(silent) == 1
        await silent.commit([old])
    assert await bus.lag("g", ["t"]) == 0
    await bus.close()


async def test_compaction_leaves_one_record_a_key_in_the_file(tmp_path: Path) -> None:
    bus: Bus = EmbeddedBus(tmp_path / "bus.db")
    await bus.ensure_topics([TopicSpec("c", 1, compacted=True)])
    for value in range(10):
        await bus.publish([Record("c", f"key-{n}", str(value).encode(), {}) for n in (0, 1, 0)])
    await bus.close()
    with closing(sqlite3.connect(tmp_path / "bus.db")) as connection:
        assert connection.execute("SELECT key, value FROM records ORDER BY id").fetchall() == [
            ("key-1", b"9"),
            ("key-0", b"9"),
        ]


async def test_a_waiting_member_beats(tmp_path: Path) -> None:
    bus = EmbeddedBus(tmp_path / "bus.db", session_seconds=0.4)
    await bus.ensure_topics([TopicSpec("t", 1)])
    async with bus.subscribe("g", ["t"]) as waiting:
        fetch = asyncio.create_task(waiting.fetch(max_records=10, wait=1.5))
        async with bus.subscribe("g", ["t"]) as second:
            assert await second.fetch(max_records=10, wait=1.0) == []
            await bus.publish(ONE)
            assert len(await fetch) == 1
    await bus.close()
