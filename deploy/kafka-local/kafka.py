#!/usr/bin/env python3
"""Apache Kafka on this machine, without Docker: one node in KRaft mode on free loopback ports.

`kafka.py start|stop|restart|kill|freeze|thaw|status [--state DIR] [--json]`. Needs Java 17 and, the first time, Maven.
"""

import base64
import hashlib
import secrets
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from local_servers.cache import fetched, run, tool
from local_servers.command import main
from local_servers.recipe import Address, Record

HERE = Path(__file__).resolve().parent
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
log.dirs={data}
auto.create.topics.enable=false
num.partitions=1
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=10
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
"""


class Kafka:
    """The recipe."""

    name = "kafka"
    ports = 2
    user: str | None = None
    stop_signal = signal.SIGTERM
    patience = 20.0

    def install(self) -> None:
        """The jars of `pom.xml`, by Maven."""
        self._libs = fetched(f"kafka-{hashlib.sha256(self._pom.read_bytes()).hexdigest()[:12]}", self._fetch)
        self._java = tool("java", "install Java 17 or newer (Debian: default-jre-headless)")

    def prepare(self, state: Path, record: Record) -> None:
        """Formats the log folder of a fresh state."""
        data, properties = state / "data", state / "server.properties"
        port, controller = record.ports
        properties.write_text(PROPERTIES.format(port=port, controller=controller, data=data))
        if not (data / "meta.properties").exists():
            cluster = f"--cluster-id={cluster_id()}"
            run([*self._jvm(256), "kafka.tools.StorageTool", "format", cluster, f"--config={properties}"])

    def command(self, state: Path, record: Record) -> list[str]:
        """The broker, which is its own controller."""
        return [*self._jvm(512), "kafka.Kafka", str(state / "server.properties")]

    def is_ready(self, state: Path, record: Record, said: str) -> bool:
        """It says so itself, after its listeners are open and the controller has let it in."""
        return "Kafka Server started" in said

    def finish(self, state: Path, record: Record) -> None:
        """Nothing: topics are made by those who use them."""

    def address(self, record: Record) -> Address:
        """`kafka://127.0.0.1:<port>`"""
        url = f"kafka://127.0.0.1:{record.port}"
        return Address(url, {"CLEARFRAME_BUS": url})

    @property
    def _pom(self) -> Path:
        return HERE / "pom.xml"

    def _fetch(self, folder: Path) -> None:
        maven = tool("mvn", "install Maven, which fetches Kafka (Debian: maven)")
        where = ["-f", str(self._pom), f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
        run([maven, "-B", "-q", "-C", "dependency:copy-dependencies", *where])

    def _jvm(self, megabytes: int) -> list[str]:
        # The quick compiler alone: on two busy cores the broker is up in 5 s instead of 14.
        memory = [f"-Xmx{megabytes}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        logs = f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"
        return [self._java, *memory, logs, "-cp", f"{self._libs}/*"]


def cluster_id() -> str:
    """16 bytes as Kafka writes them, never with a leading hyphen, which the tool would take for an option."""
    return "C" + base64.urlsafe_b64encode(secrets.token_bytes(16)).decode()[1:22]


if __name__ == "__main__":
    main(Kafka(), more=("freeze", "thaw"))
