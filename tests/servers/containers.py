"""The same servers by testcontainers, where a Docker engine answers."""

import secrets
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.local import Address

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

KAFKA_IMAGE = "apache/kafka:4.1.1"
POSTGRES_IMAGE = "postgres:15"
S3_IMAGE = "versity/versitygw:v1.8.0"
_LIST = "containers"
_SERVE_S3 = "mkdir -p /data/clearframe /meta && exec versitygw --port :7070 posix --sidecar /meta /data"


def docker_answers() -> bool:
    """Whether there is an engine to ask."""
    # In a process of its own: refused, the client leaves a socket open, and warnings are errors here.
    asked = [sys.executable, "-c", "import docker; docker.from_env(timeout=5).close()"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def run(name: str, folder: Path) -> Address:
    """Starts a server and notes its container in `folder`, whose owner removes it by `remove_all`."""
    from testcontainers.core.config import testcontainers_config

    # The worker that starts a container may end before the others: the folder's owner reaps, not Ryuk.
    testcontainers_config.ryuk_disabled = True
    port = _free_port()
    container, address = _RECIPES[name](port)
    container.start()
    with (folder / _LIST).open("a") as noted:
        noted.write(f"{container.get_wrapped_container().id}\n")
    return address


def remove_all(folder: Path) -> None:
    """Every container that was noted in the folder."""
    noted = folder / _LIST
    if noted.exists():
        import docker

        with closing(docker.from_env()) as client:
            for each in noted.read_text().split():
                client.containers.get(each).remove(force=True, v=True)


def _kafka(port: int) -> "tuple[DockerContainer, Address]":
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    settings = {
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_NODE_ID": "1",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:29093",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:29093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }
    # Brokers tell clients their own address, so the port outside is the port inside.
    made = DockerContainer(KAFKA_IMAGE).with_envs(**settings).with_bind_ports(port, port)
    return made.waiting_for(LogMessageWaitStrategy("Kafka Server started")), Address(f"kafka://127.0.0.1:{port}", {})


def _postgres(port: int) -> "tuple[DockerContainer, Address]":
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    password = secrets.token_hex(16)
    settings = {"POSTGRES_USER": "clearframe", "POSTGRES_PASSWORD": password, "POSTGRES_DB": "clearframe"}
    made = DockerContainer(POSTGRES_IMAGE).with_envs(**settings).with_bind_ports(5432, port)
    # The image starts it twice: once without a network to make the database, then for good.
    ready = LogMessageWaitStrategy("listening on IPv4 address")
    made = made.with_command("postgres -c max_connections=300").waiting_for(ready)
    return made, Address(f"postgresql://clearframe:{password}@127.0.0.1:{port}/clearframe", {})


def _s3(port: int) -> "tuple[DockerContainer, Address]":
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    password = secrets.token_hex(16)
    settings = {"ROOT_ACCESS_KEY": "clearframe", "ROOT_SECRET_KEY": password}
    made = DockerContainer(S3_IMAGE).with_envs(**settings).with_bind_ports(7070, port)
    made = made.with_kwargs(entrypoint=["/bin/sh", "-c"]).with_command([_SERVE_S3])
    env = {
        "AWS_ENDPOINT": f"http://127.0.0.1:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "clearframe",
        "AWS_SECRET_ACCESS_KEY": password,
    }
    return made.waiting_for(LogMessageWaitStrategy("service listening on")), Address("s3://clearframe", env)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_RECIPES = {"kafka": _kafka, "postgres": _postgres, "s3": _s3}
