"""The real servers of `deploy/`: they start, come back with what they had, and keep what they acknowledged."""

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.servers.local import LocalServer

pytestmark = pytest.mark.real
TOPIC = "kept"


@pytest.fixture
def servers(server_folder: Path) -> Iterator[Callable[[str, str], LocalServer]]:
    """Makes servers in folders of this test, and stops them after it."""
    made: list[LocalServer] = []

    def make(kind: str, name: str) -> LocalServer:
        made.append(LocalServer(kind, server_folder / name))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.mark.parametrize("kind", ["kafka", "postgres", "s3"])
def test_a_second_start_finds_the_first_and_stop_ends_it(servers: Callable[[str, str], LocalServer], kind: str) -> None:
    server = servers(kind, "one")
    first = server.start()
    assert server.start() == first
    pid = server.status()["pid"]
    assert server.restart() == first
    assert server.status()["pid"] != pid
    server.stop()
    assert server.status()["status"] == "stopped"
    server.stop()


def test_two_servers_of_two_folders_run_at_once(servers: Callable[[str, str], LocalServer]) -> None:
    one, other = servers("postgres", "one"), servers("postgres", "other")
    assert one.start() != other.start()
    one.stop()
    assert other.status()["status"] == "running"


def test_stop_leaves_a_process_that_was_given_the_pid_of_an_ended_one(
    servers: Callable[[str, str], LocalServer], server_folder: Path
) -> None:
    server = servers("postgres", "one")
    server.start()
    server.stop()
    path = server_folder / "one" / "server.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pid": os.getpid(), "born": "1"}))
    assert server.status()["status"] == "stopped"
    server.stop()  # would interrupt this very process


async def test_postgres_keeps_what_it_committed_through_kill_and_restart(own_postgres: LocalServer) -> None:
    url = own_postgres.start().url
    before = await asyncpg.connect(url)
    await before.execute("CREATE TABLE kept (n int)")
    await before.execute("INSERT INTO kept SELECT generate_series(1, 100)")
    own_postgres.kill()
    await before.close(timeout=5)
    assert own_postgres.start().url == url
    after = await asyncpg.connect(url)
    assert await after.fetchval("SELECT count(*) FROM kept") == 100
    await after.close()


@pytest.mark.faults
@pytest.mark.parametrize(("fault", "repair"), [("kill", "start"), ("freeze", "thaw")])
async def test_kafka_keeps_every_record_it_acknowledged(own_kafka: LocalServer, fault: str, repair: str) -> None:
    address = own_kafka.start().url.removeprefix("kafka://")
    await _make_topic(address)
    acknowledged: list[bytes] = []
    enough = asyncio.Event()
    sending = asyncio.create_task(_send(address, acknowledged, enough))
    await _until(lambda: len(acknowledged) >= 100)
    await asyncio.to_thread(getattr(own_kafka, fault))
    await _until(lambda: own_kafka.status()["status"] in {"stopped", "frozen"})
    before = len(acknowledged)
    await asyncio.to_thread(getattr(own_kafka, repair))
    await _until(lambda: len(acknowledged) >= before + 100)
    enough.set()
    await asyncio.wait_for(sending, 30)
    assert await _read(address) == acknowledged


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(90):
        while not condition():
            await asyncio.sleep(0.05)


async def _make_topic(address: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    await admin.close()


async def _send(address: str, acknowledged: list[bytes], enough: asyncio.Event) -> None:
    """One record after the other, each noted once it is acknowledged."""
    producer = AIOKafkaProducer(bootstrap_servers=address, acks="all", enable_idempotence=True)
    await producer.start()
    while not enough.is_set():
        value = b"%d" % len(acknowledged)
        await (await producer.send(TOPIC, value, key=b"one"))
        acknowledged.append(value)
    await producer.stop()


async def _read(address: str) -> list[bytes]:
    """Everything in the topic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    place = TopicPartition(TOPIC, 0)
    consumer.assign([place])
    end = (await consumer.end_offsets([place]))[place]
    values: list[bytes] = []
    while len(values) < end:
        fetched = await consumer.getmany(place, timeout_ms=1000)
        values += [record.value for record in fetched.get(place, []) if record.value is not None]
    await consumer.stop()
    return values
