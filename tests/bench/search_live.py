"""A part of `search.py`: the index as the service keeps it, filled with many references; restarts and one more."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from services.screening.catalogue import Catalogue, Hashes
from services.screening.live_index import TOPIC, LiveIndex
from services.screening.seen import Seen, SeenPicture, SeenView
from shared.blobs.files import FileBlobs
from shared.bus.embedded import EmbeddedBus
from shared.bus.port import Message, Record
from shared.cloudevents import Envelope, encode
from shared.events import TOPICS, Fingerprints, ReferenceDetails, ReferenceRegistered
from shared.ids import new_id

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ADDED = 500
PUBLISHED = 50
_ALIKE = ReferenceRegistered(
    reference_id="r",
    number=1,
    details=ReferenceDetails(title="a still", bank="protected", territories=("EU",)),
    fingerprints=Fingerprints(sha256="00" * 32, pdq="00" * 32, pdq_quality=90, phash="00" * 8),
    registered_at=NOW,
)


def live(count: int) -> None:
    """Prints what takes how long."""
    asyncio.run(_live(count))


async def _live(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bus, blobs = EmbeddedBus(folder / "bus.sqlite"), FileBlobs(folder / "blobs")
        await bus.ensure_topics(TOPICS)
        filling = await _filled(bus, folder / "index", count)
        async with _opened(blobs, bus, folder) as (index, _):
            start = time.perf_counter()
            await index.merge()
            merging = time.perf_counter() - start
            assert len(index) == count
        print(f"the service's index of {count:,} references: filled in {filling:.0f} s, merged in {merging:.1f} s")
        async with _opened(blobs, bus, folder) as (_, spent):
            print(f"  {'restart':26}{spent * 1e3:10.0f} ms, every byte of its segments read")
        async with _opened(blobs, bus, folder) as (index, _):
            print(f"  {'adding one, saved':26}{_adding(index):10.3f} ms           aim < 0.5 ms")
            usual, longest = await _publishing(index, bus)
            print(f"  {'published until found':26}{usual:10.1f} ms           aim < 1 s; at most {longest:.1f} ms")
        await blobs.close()
        await bus.close()


async def _filled(bus: EmbeddedBus, folder: Path, count: int) -> float:
    """Writes the catalogue as if the log had held them; the log holds one record."""
    start = time.perf_counter()
    first = _record(_ALIKE)
    await bus.publish([first])
    folder.mkdir()
    catalogue = Catalogue(folder / "catalogue.sqlite")
    with catalogue.writing():
        for reference, hashes in _references(count):
            catalogue.put(reference, hashes, 0)
        catalogue.reach(1, first.headers["ce_id"])
    catalogue.close()
    return time.perf_counter() - start


@asynccontextmanager
async def _opened(blobs: FileBlobs, bus: EmbeddedBus, folder: Path) -> AsyncIterator[tuple[LiveIndex, float]]:
    start = time.perf_counter()
    index = LiveIndex(blobs, folder / "index")
    await index.open(bus)
    try:
        yield index, time.perf_counter() - start
    finally:
        index.close()


def _references(count: int, seed: int = 1) -> Iterator[tuple[ReferenceRegistered, Hashes]]:
    rng = np.random.default_rng(seed)
    for _ in range(count):
        drawn = rng.bytes(72)
        pdq, phash, sha256 = drawn[:32], drawn[32:40], drawn[40:]
        changes = {"pdq": pdq.hex(), "phash": phash.hex(), "sha256": sha256.hex()}
        prints = _ALIKE.fingerprints.model_copy(update=changes)
        yield _ALIKE.model_copy(update={"reference_id": new_id(), "fingerprints": prints}), Hashes(pdq, phash)


def _record(reference: ReferenceRegistered) -> Record:
    return encode(Envelope(new_id(), "clearframe/bench", NOW, reference))


def _adding(index: LiveIndex) -> float:
    """Milliseconds for one record: read, searched and saved by itself."""
    records = [_record(reference) for reference, _ in _references(ADDED, seed=2)]
    messages = [
        Message(record.topic, 0, 1 + number, record.key, record.value, record.headers, 0)
        for number, record in enumerate(records)
    ]
    start = time.perf_counter()
    for message in messages:
        assert index.save([message])
    return (time.perf_counter() - start) / ADDED * 1e3


async def _publishing(index: LiveIndex, bus: EmbeddedBus) -> tuple[float, float]:
    """Milliseconds from handing a record to the bus until a search shows it: the median, the longest."""
    index.offset = 1  # `_adding` took records that the log does not hold
    following = asyncio.create_task(index.follow(bus))
    spent = []
    for reference, _ in _references(PUBLISHED, seed=3):
        start = time.perf_counter()
        await bus.publish([_record(reference)])
        await index.reach(await bus.end_offset(TOPIC))
        view = SeenView(name="hash", pdq={"identity": reference.fingerprints.pdq or ""}, pdq_quality=100, phash=None)
        matches = await index.search(Seen(SeenPicture(sha256="", views=(view,))), NOW)
        spent.append((time.perf_counter() - start) * 1e3)
        assert reference.reference_id in {match.reference.id for match in matches}
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    return float(np.median(spent)), max(spent)
