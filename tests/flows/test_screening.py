"""From an upload or a reference on the bus to findings on the bus: real decoding, real search, real stores."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from services.cli.demo import edits, works
from services.screening.banks import Banks
from services.screening.live_index import LiveIndex
from services.screening.look import Looker
from services.screening.pool import DecodePool, PoolSettings
from services.screening.registrar import Registrar
from services.screening.tables import leases
from services.screening.worker import Screener
from shared.blobs.files import FileBlobs
from shared.bus.consumer import Consumer
from shared.bus.embedded import EmbeddedBus
from shared.bus.port import Message
from shared.cloudevents import Envelope, decode, encode
from shared.declaration.model import Declaration
from shared.events import (
    DEAD_TOPICS,
    TOPICS,
    AssetScreened,
    AssetSubmitted,
    BankSettings,
    Event,
    ReferenceDetails,
    ReferenceRefused,
    ReferenceRegistered,
    ReferenceSubmitted,
    ReferenceWithdrawn,
    RescanRequested,
    Uploader,
)
from shared.findings import NotMatched, Provenance, ReferenceMatch, Unscreenable
from shared.ids import new_id
from shared.outbox import Relay
from shared.store.engine import Store, open_store
from shared.store.leases import Lease
from shared.store.migrate import migrate


@dataclass
class Line:
    """Screening as it runs, and hands to put things in and take them out."""

    bus: EmbeddedBus
    blobs: FileBlobs
    store: Store
    banks: Banks

    async def upload(self, content: bytes, filename: str = "plate.jpg", **changes: Any) -> AssetSubmitted:
        asset_id = new_id()
        event = AssetSubmitted(
            **{
                "asset_id": asset_id,
                "production": "atlas",
                "number": 1,
                "cause_id": asset_id,
                "sha256": await self.keep(content),
                "bytes": len(content),
                "media_type": "image/jpeg",
                "filename": filename,
                "declaration": Declaration(production="atlas"),
                "uploader": Uploader(key_id="k", person="p"),
                "submitted_at": datetime.now(UTC),
            }
            | changes
        )
        await self.publish(event)
        return event

    async def refer(self, content: bytes, title: str = "Work", **changes: Any) -> ReferenceSubmitted:
        details = ReferenceDetails(title=title, bank="protected")
        about = {"reference_id": new_id(), "details": details, "submitted_at": datetime.now(UTC)}
        file = {"sha256": await self.keep(content), "bytes": len(content), "media_type": "image/jpeg"}
        event = ReferenceSubmitted(**(about | file | changes))
        await self.publish(event)
        return event

    async def keep(self, content: bytes) -> str:
        async with self.blobs.stage() as staged:
            await staged.write(content)
            return (await staged.keep()).sha256

    async def publish(self, *events: Event) -> None:
        await self.bus.publish([encode(Envelope(new_id(), "clearframe/test", datetime.now(UTC), e)) for e in events])

    async def read(self, topic: str, count: int) -> list[Any]:
        """The first `count` events of a topic, over all partitions, in the order they arrive here."""
        found: list[Message] = []
        async with asyncio.timeout(30), self.bus.subscribe(f"reader-{new_id()}", [topic]) as subscription:
            while len(found) < count:
                found += await subscription.fetch(max_records=100, wait=1)
        return [decode(message).data for message in found]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[DecodePool]:
    async with DecodePool(PoolSettings(workers=1)) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def line(tmp_path: Path, pool: DecodePool) -> AsyncIterator[Line]:
    bus, blobs = EmbeddedBus(tmp_path / "bus.sqlite"), FileBlobs(tmp_path / "blobs")
    store = open_store(f"sqlite:///{tmp_path}", "screening")
    await migrate(store, "screening")
    await bus.ensure_topics([*TOPICS, *DEAD_TOPICS])
    index = LiveIndex(blobs)
    looker = Looker(store, blobs, pool, None)
    screener = Screener(store, bus, index, looker)
    registrar = Registrar(store, looker, screener.outbox)
    stopping = asyncio.Event()
    following = asyncio.create_task(index.follow(bus))
    work = [
        Consumer(bus, "screening", ["assets.submitted", "rescans"], screener.handle).run(stopping),
        Consumer(bus, "references", ["references.submitted"], registrar.handle).run(stopping),
        Relay(store, screener.outbox, bus, Lease(store, leases, "relay", new_id())).run(stopping),
    ]
    running = asyncio.gather(*work)
    banks = Banks(bus, index)
    await banks.ensure_default()
    yield Line(bus, blobs, store, banks)
    stopping.set()
    screener.outbox.wake()
    await running
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await blobs.close()
    await store.close()
    await bus.close()


def _jpeg(image: Image.Image, quality: int = 90) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


@pytest.fixture(scope="module")
def harbour() -> Image.Image:
    return works.harbour()


async def _registered(line: Line, content: bytes, **changes: Any) -> ReferenceSubmitted:
    submitted = await line.refer(content, **changes)
    records = await line.read("references", 2)
    assert isinstance(records[1], ReferenceRegistered), records[1]
    return submitted


async def test_a_mirrored_recompressed_copy_is_found(line: Line, harbour: Image.Image) -> None:
    reference = await _registered(line, _jpeg(harbour), title="Harbour at Dusk")
    await line.upload(_jpeg(ImageOps.mirror(harbour).reduce(2), quality=40))
    (screened,) = await line.read("assets.screened", 1)
    (match,) = screened.findings
    assert isinstance(match, ReferenceMatch)
    assert (match.reference.id, match.reference.title) == (reference.reference_id, "Harbour at Dusk")
    assert (match.transform, match.extent, match.detector) == ("mirrored", "whole", "pdq")
    assert match.score > 0.5


async def test_another_picture_is_no_match(line: Line, harbour: Image.Image) -> None:
    await _registered(line, _jpeg(harbour))
    await line.upload(_jpeg(edits.lagoon()))
    (screened,) = await line.read("assets.screened", 1)
    assert screened.findings == ()
    assert screened.fingerprints.pdq is not None
    assert screened.number == 1


@pytest.mark.parametrize(
    ("content", "filename", "reason"),
    [
        (b"just text\n" * 50, "notes.jpg", "name_mismatch"),
        (b"\xff\xd8\xff\xe0 broken", "broken.jpg", "truncated"),
        (b"GIF89a", "short.gif", "truncated"),
        (b"who knows", "thing.xyz", "unsupported_format"),
    ],
)
async def test_what_cannot_be_screened_says_why(line: Line, content: bytes, filename: str, reason: str) -> None:
    await line.upload(content, filename)
    (screened,) = await line.read("assets.screened", 1)
    assert reason in [finding.reason for finding in screened.findings if isinstance(finding, Unscreenable)]


async def test_a_sound_is_marked_as_not_matched(line: Line) -> None:
    await line.upload(b"RIFF\x24\0\0\0WAVEfmt " + bytes(40), "voice.wav")
    (screened,) = await line.read("assets.screened", 1)
    assert screened.findings == (NotMatched(media="audio"),)


async def test_a_generators_parameters_are_a_finding(line: Line) -> None:
    texts, out = PngInfo(), io.BytesIO()
    texts.add_text("parameters", "a pier\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1")
    edits.lagoon().save(out, "PNG", pnginfo=texts)
    first = await line.upload(out.getvalue(), "plate.png")
    (screened,) = await line.read("assets.screened", 1)
    assert screened.findings == (
        Provenance(
            source="png_text",
            claim="Stable Diffusion web UI",
            detail="parameters: a pier Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1",
        ),
    )
    await line.publish(first.model_copy(update={"number": 2, "cause": "declaration_amended", "cause_id": new_id()}))
    _, again = await line.read("assets.screened", 2)
    assert (again.number, again.findings) == (2, screened.findings)  # from the record, not decoded again


async def test_missing_and_damaged_bytes_are_an_integrity_error(
    line: Line, harbour: Image.Image, tmp_path: Path
) -> None:
    missing = hashlib.sha256(b"never stored").hexdigest()
    await line.upload(b"x", sha256=missing)
    damaged = await line.keep(_jpeg(harbour))
    (file,) = [path for path in (tmp_path / "blobs").rglob(damaged) if path.is_file()]
    file.chmod(0o600)
    file.write_bytes(_jpeg(harbour)[:-1] + b"?")
    await line.upload(b"x", sha256=damaged)
    for screened in await line.read("assets.screened", 2):
        assert [finding.reason for finding in screened.findings] == ["integrity_error"]


async def test_the_same_event_many_times_is_screened_once(line: Line, harbour: Image.Image) -> None:
    event = await line.upload(_jpeg(harbour))
    await line.publish(*[event] * 20)
    other = await line.upload(_jpeg(edits.lagoon()))
    screened = await line.read("assets.screened", 2)
    assert sorted(e.asset_id for e in screened) == sorted([event.asset_id, other.asset_id])
    await line.publish(*[event] * 5)
    last = await line.upload(_jpeg(edits.canyon()))
    assert [e.asset_id for e in await line.read("assets.screened", 3)].count(event.asset_id) == 1
    assert last.asset_id


async def test_a_rescan_searches_what_was_registered_since(line: Line, harbour: Image.Image) -> None:
    event = await line.upload(_jpeg(harbour, 60))
    await line.read("assets.screened", 1)
    await _registered(line, _jpeg(harbour))
    rescan = RescanRequested(
        asset_id=event.asset_id,
        production="atlas",
        rescan_id=new_id(),
        anew=("references",),
        requested_at=datetime.now(UTC),
    )
    await line.publish(rescan, rescan)
    first, again = await line.read("assets.screened", 2)
    assert isinstance(again, AssetScreened)
    assert (first.findings, again.number, again.cause, again.cause_id) == ((), 2, "rescanned", rescan.rescan_id)
    assert len(again.findings) == 1


async def test_a_withdrawn_reference_is_not_found_any_more(line: Line, harbour: Image.Image) -> None:
    reference = await _registered(line, _jpeg(harbour))
    await line.publish(reference.model_copy(update={"withdrawn": True, "number": 2}))
    records = await line.read("references", 3)
    assert isinstance(records[2], ReferenceWithdrawn)
    await line.upload(_jpeg(harbour))
    (screened,) = await line.read("assets.screened", 1)
    assert screened.findings == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [(_jpeg(Image.new("RGB", (600, 600), "white")), "too_poor"), (b"no picture", "unsupported_format")],
)
async def test_a_reference_too_poor_to_protect_is_refused(line: Line, content: bytes, reason: str) -> None:
    await line.refer(content)
    _, refused = await line.read("references", 2)
    assert isinstance(refused, ReferenceRefused)
    assert refused.reason == reason
    assert refused.detail


async def test_a_paused_bank_does_not_match(line: Line, harbour: Image.Image) -> None:
    await _registered(line, _jpeg(harbour))
    await line.banks.put("protected", BankSettings(enabled=False))
    await line.upload(_jpeg(harbour))
    (screened,) = await line.read("assets.screened", 1)
    assert screened.findings == ()
    assert [(bank.name, bank.references, bank.settings.enabled) for bank in line.banks.all()] == [
        ("protected", 1, False)
    ]
