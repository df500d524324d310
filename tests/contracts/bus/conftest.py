"""Both buses behind one fixture: every test of this folder holds for the embedded log and for real Kafka."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from shared.bus.embedded import EmbeddedBus
from shared.bus.port import Bus, TopicSpec
from shared.ids import new_id
from tests.contracts.bus.logs import Log

_TOPICS = [TopicSpec("work", 4), TopicSpec("other", 1), TopicSpec("latest", 1, compacted=True)]


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.real)])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Log]:
    log = _kafka(request) if request.param == "kafka" else Log("embedded", lambda: EmbeddedBus(tmp_path / "bus.db"))
    yield log
    for bus in log.opened:
        await bus.close()


@pytest.fixture
async def bus(log: Log) -> Bus:
    """A bus with three topics."""
    bus = log.another()
    await bus.ensure_topics(_TOPICS)
    return bus


def _kafka(request: pytest.FixtureRequest) -> Log:
    from shared.bus.kafka import KafkaBus

    try:
        servers: str = request.getfixturevalue("kafka_url").removeprefix("kafka://")
    except pytest.FixtureLookupError:
        pytest.skip("there is no fixture kafka_url yet")
    prefix = f"t{new_id()[-12:]}."
    return Log("kafka", lambda: KafkaBus(servers, prefix=prefix))


@pytest.fixture
async def stack(bus: Bus) -> AsyncIterator[AsyncExitStack]:
    """For subscriptions that a test leaves in its middle."""
    async with AsyncExitStack() as stack:
        yield stack
