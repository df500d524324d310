"""A log and an index over a folder, for tests that start, spoil and start again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from services.screening.live_index import TOPIC, LiveIndex
from services.screening.seen import Seen, SeenPicture, SeenView
from shared.blobs.files import FileBlobs
from shared.bus.embedded import EmbeddedBus
from shared.bus.port import Bus
from shared.cloudevents import Envelope, encode
from shared.events import (
    TOPICS,
    Event,
    Fingerprints,
    ReferenceDetails,
    ReferenceRegistered,
    ReferenceWithdrawn,
)
from shared.ids import new_id

NOW = datetime(2026, 11, 1, tzinfo=UTC)
VALUES = [np.random.default_rng(seed).bytes(32).hex() for seed in range(8)]


def registered(name: str, pdq: str, number: int = 1, bank: str = "protected", **prints: Any) -> ReferenceRegistered:
    """Its pHash is the first quarter of its PDQ."""
    given = {"sha256": "00" * 32, "pdq": pdq, "pdq_quality": 90, "phash": pdq[:16]} | prints
    return ReferenceRegistered(
        reference_id=name,
        number=number,
        details=ReferenceDetails(title=name, bank=bank),
        fingerprints=Fingerprints.model_validate(given),
        registered_at=NOW,
    )


def withdrawn(name: str, number: int = 2) -> ReferenceWithdrawn:
    details = ReferenceDetails(title=name, bank="protected")
    return ReferenceWithdrawn(reference_id=name, number=number, details=details, withdrawn_at=NOW)


@dataclass
class Machine:
    """A log, and an index over a folder that is opened and closed as processes start and end."""

    folder: Path
    bus: Bus
    blobs: FileBlobs
    kept: bool = True
    """Whether the index has a folder; else each one begins anew, in memory."""

    async def publish(self, *events: Event) -> None:
        await self.bus.publish([encode(Envelope(new_id(), "clearframe/test", NOW, event)) for event in events])

    @asynccontextmanager
    async def index(self) -> AsyncIterator[LiveIndex]:
        index = LiveIndex(self.blobs, self.folder / "index" if self.kept else None)
        await index.open(self.bus)
        following = asyncio.create_task(index.follow(self.bus))
        try:
            await index.reach(await self.bus.end_offset(TOPIC))
            yield index
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            index.close()


@asynccontextmanager
async def machine(folder: Path) -> AsyncIterator[Machine]:
    folder.mkdir(parents=True, exist_ok=True)
    bus, blobs = EmbeddedBus(folder / "bus.sqlite"), FileBlobs(folder / "blobs")
    await bus.ensure_topics(TOPICS)
    try:
        yield Machine(folder, bus, blobs)
    finally:
        await blobs.close()
        await bus.close()


async def found(index: LiveIndex, *, pdq: str | None = None, phash: str | None = None, sha256: str = "") -> list[str]:
    view = SeenView(name="hash", pdq={"identity": pdq} if pdq else {}, pdq_quality=100, phash=phash)
    matches = await index.search(Seen(SeenPicture(sha256=sha256, views=(view,))), NOW)
    return [match.reference.id for match in matches]
