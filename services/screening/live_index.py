"""The reference set as this process searches it, built from the `references` topic alone and kept up with it."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from datetime import datetime
from pathlib import Path

import structlog

from services.screening.catalogue import Bank, Catalogue, Hashes
from services.screening.findings import SHIPPED_SCORE, best_first, is_live, match_of, partial_match_of
from services.screening.fingerprint.kinds import PDQ, PHASH
from services.screening.matching.corroborate import LEAST_LOCAL_SCORE, corroborate
from services.screening.matching.exact.table import SegmentedTable
from services.screening.matching.local import PartialHit
from services.screening.matching.whole import Hit, WholeIndex
from services.screening.partial_index import PartialIndex
from services.screening.seen import Seen, SeenPicture
from shared import metrics
from shared.blobs.port import Blobs
from shared.bus.port import Bus, Message
from shared.cloudevents import decode
from shared.errors import Reject, Retry
from shared.events import BankChanged, BankSettings, ReferenceRefused, ReferenceRegistered, ReferenceWithdrawn
from shared.findings import ReferenceMatch

TOPIC = "references"
DEFAULT_BANK = "protected"
_CATCH_UP_SECONDS = 5.0
_log = structlog.get_logger()


class LiveIndex:
    """All live references with their banks' settings. One thread at a time: the event loop's.

    With a folder it goes on where it left off; without one it is kept in memory and reads the whole topic.
    """

    def __init__(self, blobs: Blobs, folder: Path | None = None) -> None:
        self.partial = PartialIndex(blobs)
        self.tables = () if folder is None else _tables(folder)
        self._whole = WholeIndex(*self.tables)
        self._catalogue = Catalogue(None if folder is None else folder / "catalogue.sqlite")
        self._moved = asyncio.Event()
        self.offset = 0

    async def open(self, bus: Bus) -> None:
        """Goes on from the folder where that is a copy of this log, else begins anew. Call before anything else.

        Every byte of a segment is read before it answers: with one wrong bit it might miss a copy.
        """
        if await self._is_copy_of(bus):
            await asyncio.gather(*(asyncio.to_thread(table.refuse_damaged) for table in self.tables))
        else:
            _log.warning("index_begun_anew", reason="the folder holds the index of another log")
            self._catalogue.begin_anew()
        self.offset, _ = self._catalogue.reached
        if self.offset == 0:
            for table in self.tables:
                table.clear()
        self._put_back()
        for refusal in self.refused:
            _log.error("index_segment_refused", detail=refusal)
        metrics.INDEX_REFUSED.set(len(self.refused))
        metrics.INDEX_REFERENCES.set(len(self))

    async def _is_copy_of(self, bus: Bus) -> bool:
        offset, last = self._catalogue.reached
        if offset == 0:
            return True
        if await bus.end_offset(TOPIC) < offset:
            return False
        async with aclosing(bus.follow(TOPIC, offset=offset - 1)) as following:
            async for messages in following:
                # Where compaction took our last record away, a later one says nothing about the log.
                first = messages[0] if messages else None
                return first is None or first.offset >= offset or first.headers.get("ce_id") == last
        return True

    def _put_back(self) -> None:
        """What came after the segments, and all local features, from the catalogue."""
        for table, kind in zip(self.tables, ("pdq", "phash"), strict=bool(self.tables)):
            for reference_id, hashes in self._catalogue.changed_since(table.position):
                value = getattr(hashes, kind)
                if value is None:
                    table.remove(reference_id)
                else:
                    table.add(reference_id, value)
        for reference_id, features in self._catalogue.features():
            self.partial.put(reference_id, features)

    @property
    def refused(self) -> list[str]:
        """Damaged parts of the folder that were set aside; answers are complete without them."""
        return [refusal for table in self.tables for refusal in table.refused]

    @property
    def unmerged(self) -> int:
        """References and withdrawals that are searched by a scan, until a merge."""
        return max((table.unmerged for table in self.tables), default=0)

    async def merge(self) -> None:
        """Writes new segments with all that is known, while searches and changes go on."""
        for table in self.tables:
            snapshot = table.snapshot(self.offset)
            table.adopt(await asyncio.to_thread(snapshot.build))
            await asyncio.to_thread(table.sweep)

    async def moved(self) -> None:
        """Returns when more records have been applied."""
        await self._moved.wait()

    async def follow(self, bus: Bus) -> None:
        """Applies the topic's records for ever."""
        async for messages in bus.follow(TOPIC, offset=self.offset):
            if messages:
                with self._catalogue.writing():
                    for message in messages:
                        self.apply(message)
                    self._catalogue.reach(self.offset, messages[-1].headers.get("ce_id", ""))
            metrics.INDEX_REFERENCES.set(len(self))
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()

    async def reach(self, offset: int) -> None:
        """Returns once every record before `offset` is searched. Raises `Retry` when that takes too long."""
        try:
            async with asyncio.timeout(_CATCH_UP_SECONDS):
                while self.offset < offset:
                    await self._moved.wait()
        except TimeoutError as error:
            raise Retry(f"the index is at offset {self.offset} of {offset}") from error

    def apply(self, message: Message) -> None:
        """One record. A record that cannot be read is logged and left out: one bad record must not stop screening."""
        try:
            event = decode(message).data
        except Reject as rejection:
            _log.error(
                "reference_record_unreadable", offset=message.offset, reason=rejection.code, detail=rejection.detail
            )
        else:
            self.take(event, message.offset)
        self.offset = max(self.offset, message.offset + 1)

    def take(self, event: object, offset: int = 0) -> None:
        """What the record at this offset says; what is older than what is held is left out."""
        match event:
            case BankChanged() if event.changed_at >= (self.bank_changed_at(event.bank) or event.changed_at):
                self._catalogue.set_bank(event.bank, event.settings, event.changed_at)
            case ReferenceRegistered() if event.number >= self._catalogue.number_of(event.reference_id):
                self._register(event, offset)
            case ReferenceWithdrawn() | ReferenceRefused() if event.number >= self._catalogue.number_of(
                event.reference_id
            ):
                self._catalogue.forget(event.reference_id, event.number, offset)
                self._whole.remove(event.reference_id)
                self.partial.forget(event.reference_id)

    def _register(self, record: ReferenceRegistered, offset: int) -> None:
        hashes = _hashes_of(record)
        self._catalogue.put(record, hashes, offset)
        self._whole.add(record.reference_id, pdq=hashes.pdq, phash=hashes.phash)
        if record.features_sha256 is None:
            self.partial.forget(record.reference_id)
        else:
            self.partial.put(record.reference_id, record.features_sha256)

    async def search(
        self, seen: Seen, now: datetime, *, least_score: float = SHIPPED_SCORE
    ) -> tuple[ReferenceMatch, ...]:
        """Every live reference that the picture holds, as a whole or in part, the surest first."""
        parts = await self.partial.search(seen.named_features(), min(least_score, LEAST_LOCAL_SCORE))
        whole = list(self._matches(seen.picture, now, least_score))
        return best_first([*whole, *self._partial_matches(parts, seen.picture, now)], least_score)

    def _matches(self, seen: SeenPicture, now: datetime, least_score: float) -> Iterator[ReferenceMatch]:
        for hit, view in self._hits(seen, least_score):
            record, bank = self._of(hit.reference_id)
            near = hit.detector != "pdq" or hit.distance <= bank.max_distance or least_score < SHIPPED_SCORE
            if near and record is not None and is_live(record, bank, now):
                yield match_of(hit, record, bank, view)

    def _partial_matches(
        self, parts: list[tuple[PartialHit, str]], seen: SeenPicture, now: datetime
    ) -> Iterator[ReferenceMatch]:
        for hit, view in self._corroborated(parts, seen):
            record, bank = self._of(hit.reference_id)
            if record is not None and is_live(record, bank, now):  # else withdrawn while we searched
                yield partial_match_of(hit, record, bank, view)

    def _corroborated(self, parts: list[tuple[PartialHit, str]], seen: SeenPicture) -> Iterator[tuple[PartialHit, str]]:
        """A few features and a hash that is a little too far say together what neither says alone."""
        for view in seen.views:
            hits = [hit for hit, name in parts if name == view.name]
            distances = self._whole.pdq_distances(view.pdq_variants(), [hit.reference_id for hit in hits])
            yield from ((hit, view.name) for hit in corroborate(hits, distances))

    def _of(self, reference_id: str) -> tuple[ReferenceRegistered | None, BankSettings]:
        record = self._catalogue.find(reference_id)
        return record, self._catalogue.bank(record.details.bank)[0] if record else BankSettings()

    def _hits(self, seen: SeenPicture, least_score: float) -> Iterator[tuple[Hit, str]]:
        reach = 2 * (1 - least_score)
        if seen.sha256:
            for reference_id in self._catalogue.of_bytes(bytes.fromhex(seen.sha256)):
                yield Hit(reference_id, "sha256", 0), "picture"
        for view in seen.views:
            for hit in self._whole.search_pdq(view.pdq_variants(), view.pdq_quality, radius=round(PDQ.radius * reach)):
                yield hit, view.name
            if view.phash is not None and view.pdq_quality >= PDQ.least_quality:
                for hit in self._whole.search_phash(PHASH.parse(view.phash), radius=round(PHASH.radius * reach)):
                    yield hit, view.name

    def banks(self) -> tuple[Bank, ...]:
        """Every bank by name; the default one also while nobody has set it."""
        banks = {bank.name: bank for bank in self._catalogue.banks()}
        banks.setdefault(DEFAULT_BANK, Bank(DEFAULT_BANK, BankSettings(), 0))
        return tuple(banks[name] for name in sorted(banks))

    def bank_changed_at(self, name: str) -> datetime | None:
        """When its settings in force were made; None for a bank that nobody has set."""
        return self._catalogue.bank(name)[1]

    def close(self) -> None:
        """Closes the files of the folder."""
        self._catalogue.close()

    def __len__(self) -> int:
        return len(self._catalogue)


def _tables(folder: Path) -> tuple[SegmentedTable, SegmentedTable]:
    return (
        SegmentedTable(folder / "pdq", bits=PDQ.bits, radius=PDQ.radius),
        SegmentedTable(folder / "phash", bits=PHASH.bits, radius=PHASH.radius),
    )


def _hashes_of(record: ReferenceRegistered) -> Hashes:
    """What to search it by; the hashes of a picture with too little detail would match anything."""
    prints = record.fingerprints
    if (prints.pdq_quality or 0) < PDQ.least_quality:
        return Hashes()
    return Hashes(PDQ.parse(prints.pdq) if prints.pdq else None, PHASH.parse(prints.phash) if prints.phash else None)
