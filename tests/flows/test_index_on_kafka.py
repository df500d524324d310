"""The live index over a real Kafka: a restart goes on where its folder ends, and knows a topic that was made anew."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.screening.live_index import LiveIndex
from shared.blobs.files import FileBlobs
from shared.bus.kafka import KafkaBus
from shared.events import TOPICS
from shared.ids import new_id
from tests.unit.screening.index_line import VALUES, Machine, found, registered, withdrawn

pytestmark = pytest.mark.real


@asynccontextmanager
async def _on(kafka_url: str, folder: Path) -> AsyncIterator[Machine]:
    """Topics of its own, and that folder."""
    bus, blobs = KafkaBus(kafka_url.removeprefix("kafka://"), prefix=f"t{new_id()[-12:]}."), FileBlobs(folder / "blobs")
    await bus.ensure_topics([topic for topic in TOPICS if topic.name == "references"])
    try:
        yield Machine(folder, bus, blobs)
    finally:
        await blobs.close()
        await bus.close()


async def test_a_restart_goes_on_and_another_log_is_begun_anew(kafka_url: str, tmp_path: Path) -> None:
    async with _on(kafka_url, tmp_path) as line:
        await line.publish(*(registered(f"r{number}", value) for number, value in enumerate(VALUES)))
        async with line.index() as index:
            await index.merge()
        await line.publish(withdrawn("r0"), registered("r9", VALUES[0], 9))
        again = LiveIndex(line.blobs, line.folder / "index")
        await again.open(line.bus)
        assert again.offset == len(VALUES)
        again.close()
        async with line.index() as index:
            assert [await found(index, pdq=value) for value in VALUES[:2]] == [["r9"], ["r1"]]
    async with _on(kafka_url, tmp_path) as other:
        await other.publish(*(registered(f"new-{number}", VALUES[7]) for number in range(12)))
        async with other.index() as index:
            assert await found(index, pdq=VALUES[1]) == []
            assert len(await found(index, pdq=VALUES[7])) == 12
