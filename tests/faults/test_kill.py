"""kill -9 at random moments under load: what was accepted is decided once and told once, and nothing else is."""

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from services.cli.local import free_port
from tests.faults.oracle import Client, check_at_rest, load, receiver
from tests.faults.process import Process

pytestmark = pytest.mark.faults
KILLS = 20
KILLS_OF_REAL = 5
SETTINGS = {"CLEARFRAME_VERDICT__ALLOW_LOOPBACK_WEBHOOKS": "true", "CLEARFRAME_LOG_FORMAT": "json"}


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("CLEARFRAME_TEST_SEED", time.time_ns() % 100_000))
    print(f"CLEARFRAME_TEST_SEED={seed}")
    return random.Random(seed)


@contextmanager
def _told(client: Client) -> Iterator[list[tuple[str, object]]]:
    with receiver() as (url, came):
        client.post("verdict", "/v1/webhooks", {"url": url})
        yield came


def test_one_process_is_killed_twenty_times(tmp_path: Path, chance: random.Random) -> None:
    port = free_port()
    url, data = f"http://127.0.0.1:{port}", tmp_path / "data"
    process = Process(["--data", str(data), "up", "--port", str(port)], url, tmp_path / "log", SETTINGS)
    process.start()
    client = Client((data / "admin.key").read_text().strip(), dict.fromkeys(("ingest", "screening", "verdict"), url))
    with _told(client) as came:
        with load(client):
            for _ in range(KILLS):
                time.sleep(chance.uniform(0.05, 1.5))  # the moment of the fault, not a wait for anything
                process.kill()
                process.start()
        assert client.refused == []
        assert len(client.accepted) > KILLS
        check_at_rest(client, came)
    assert process.stop() == 0, process.tail()


@pytest.fixture
def deployment(
    tmp_path: Path, kafka_url: str, postgres_database: str, s3_url: str
) -> Iterator[tuple[dict[str, Process], Client]]:
    """Three services on Kafka, PostgreSQL and S3."""
    where = {
        "CLEARFRAME_BUS": kafka_url,
        "CLEARFRAME_STORE": postgres_database,
        "CLEARFRAME_BLOBS": s3_url,
        "CLEARFRAME_TOPIC_PREFIX": f"kill-{time.time_ns()}-",
    }
    ports = {name: free_port() for name in ("ingest", "screening", "verdict")}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    data = tmp_path / "data"
    migrating = Process(["--data", str(data), "migrate"], "", tmp_path / "migrate.log", SETTINGS | where)
    migrating.run()
    services = {
        name: Process(
            ["--data", str(data), "serve", name, "--host", "127.0.0.1", "--port", str(port)],
            urls[name],
            tmp_path / f"{name}.log",
            SETTINGS | where,
        )
        for name, port in ports.items()
    }
    for service in services.values():
        service.start()
    yield services, Client((data / "admin.key").read_text().strip(), urls)
    for service in services.values():
        service.stop()


@pytest.mark.real
def test_services_on_real_servers_are_killed_in_turn(
    deployment: tuple[dict[str, Process], Client], chance: random.Random
) -> None:
    services, client = deployment
    with _told(client) as came:
        with load(client, threads=2):
            victims = [*services, *chance.sample(sorted(services), KILLS_OF_REAL - len(services))]
            for name in chance.sample(victims, len(victims)):
                time.sleep(chance.uniform(0.5, 3.0))  # the moment of the fault
                service = services[name]
                service.kill()
                service.start()
        assert client.refused == []
        assert len(client.accepted) > KILLS_OF_REAL
        check_at_rest(client, came)


@pytest.mark.real
def test_ingest_takes_uploads_while_the_broker_is_away(tmp_path: Path, own_kafka, postgres_database: str) -> None:
    port = free_port()
    url, data = f"http://127.0.0.1:{port}", tmp_path / "data"
    where = {"CLEARFRAME_BUS": own_kafka.start().url, "CLEARFRAME_STORE": postgres_database}
    process = Process(["--data", str(data), "up", "--port", str(port)], url, tmp_path / "log", SETTINGS | where)
    process.start()
    client = Client((data / "admin.key").read_text().strip(), dict.fromkeys(("ingest", "screening", "verdict"), url))
    with _told(client) as came:
        with load(client, threads=2):
            time.sleep(2)
            own_kafka.stop()
            before = len(client.accepted)
            time.sleep(20)  # the fault itself lasts so long
            during = len(client.accepted)
            own_kafka.restart()
        assert client.refused == []
        assert during > before + 20
        check_at_rest(client, came)
    assert process.stop() == 0, process.tail()


def test_a_graceful_stop_lets_streams_go_and_loses_nothing(tmp_path: Path) -> None:
    port = free_port()
    url, data = f"http://127.0.0.1:{port}", tmp_path / "data"
    process = Process(["--data", str(data), "up", "--port", str(port)], url, tmp_path / "log", SETTINGS)
    process.start()
    client = Client((data / "admin.key").read_text().strip(), dict.fromkeys(("ingest", "screening", "verdict"), url))
    stream = httpx2.Client(headers={"Authorization": f"Bearer {client.key}"}, timeout=None)
    with (
        _told(client) as came,
        stream.stream("GET", f"{url}/v1/verdicts/stream", params={"from": "beginning"}) as open_one,
    ):
        with load(client):
            time.sleep(1)
            began = time.monotonic()
            assert process.stop(25) == 0, process.tail()
            assert time.monotonic() - began < 25
            assert open_one.status_code == 200
            process.start()
        check_at_rest(client, came)
    assert process.stop() == 0
