"""The reference set as this process searches it, built from the `references` topic alone and kept up with it."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime
from pathlib import Path

import structlog

from services.screening.catalogue import Bank, Catalogue, CatalogueDamaged, Hashes
from services.screening.findings import SHIPPED_SCORE
from services.screening.fingerprint.kinds import PDQ, PHASH
from services.screening.matches import Asked, matches
from services.screening.matching.corroborate import LEAST_LOCAL_SCORE
from services.screening.matching.exact.table import SegmentedTable
from services.screening.matching.whole import WholeIndex
from services.screening.partial_index import PartialIndex
from services.screening.seen import Seen
from shared import metrics
from shared.blobs.port import Blobs
from shared.bus.port import Bus, Message
from shared.cloudevents import decode
from shared.errors import OutOfSpace, Reject, Retry, Unavailable
from shared.events import BankChanged, BankSettings, ReferenceRefused, ReferenceRegistered, ReferenceWithdrawn
from shared.findings import ReferenceMatch
from shared.service import until

TOPIC = "references"
DEFAULT_BANK = "protected"
_CATCH_UP_SECONDS = 5.0
_PAUSE = 1.0  # seconds until what could not be saved is tried again
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
        self._anew = asyncio.Event()
        self._owed = 0  # the offset before which it may not answer
        self._ahead = False  # the tables hold what the catalogue could not save
        self.offset = 0

    async def open(self, bus: Bus) -> None:
        """Goes on from the folder where that is a copy of this log, else begins anew. Call before anything else.

        Every byte of a segment is read before it answers: with one wrong bit it might miss a copy.
        """
        try:
            await self._go_on(bus)
        except CatalogueDamaged as damage:
            self._begin_anew(str(damage))
        for refusal in self.refused:
            _log.error("index_segment_refused", detail=refusal)
        metrics.INDEX_REFUSED.set(len(self.refused))
        metrics.INDEX_REFERENCES.set(len(self))

    async def _go_on(self, bus: Bus) -> None:
        self.offset = next((offset for offset, _ in self._catalogue.marks()), 0)
        if self.offset and await self._is_copy_of(bus):
            await asyncio.gather(*(asyncio.to_thread(table.refuse_damaged) for table in self.tables))
            self._put_back()
        else:
            self._begin_anew("the folder holds the index of another log" if self.offset else "")

    def _begin_anew(self, reason: str) -> None:
        """From the start of the topic."""
        if reason:
            _log.warning("index_begun_anew", reason=reason)
        self.offset = 0
        self._catalogue.begin_anew()
        for table in self.tables:
            table.clear()
        self._anew.set()

    def _mend(self, damage: CatalogueDamaged) -> None:
        """While it serves: no answers until it is again as far as it was."""
        self._owed = max(self._owed, self.offset)
        self._begin_anew(str(damage))

    async def _is_copy_of(self, bus: Bus) -> bool:
        """Whether an event that is marked here lies in this log at its place. Compaction may have taken some away."""
        marks = self._catalogue.marks()
        if await bus.end_offset(TOPIC) < marks[0][0]:
            return False
        for offset, event_id in marks:
            async with aclosing(bus.follow(TOPIC, offset=offset - 1)) as following:
                first = next(iter(await anext(following)), None)
            if first is not None and first.offset == offset - 1:
                return first.headers.get("ce_id", "") == event_id
        return False

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
        """Applies the topic's records for ever; from its start if the catalogue turns out to be damaged."""
        while True:
            self._anew = asyncio.Event()
            try:
                await until(self._anew, self._follow(bus))
            except CatalogueDamaged as damage:
                self._mend(damage)

    async def _follow(self, bus: Bus) -> None:
        async with aclosing(bus.follow(TOPIC, offset=self.offset)) as following:
            async for messages in following:
                if messages and not self.save(messages):
                    await asyncio.sleep(_PAUSE)
                    return  # to begin again with the same messages
                metrics.INDEX_REFERENCES.set(len(self))
                moved, self._moved = self._moved, asyncio.Event()
                moved.set()

    def save(self, messages: Sequence[Message]) -> bool:
        """Applies them, in one transaction. False where the disk is full: nothing is answered until they are saved."""
        self._ahead = True
        try:
            with self._catalogue.writing():
                for message in messages:
                    self.apply(message)
                self._catalogue.reach(messages[-1].offset + 1, messages[-1].headers.get("ce_id", ""))
        except CatalogueDamaged:
            raise
        except (OutOfSpace, Unavailable) as error:
            _log.error("index_not_saved", offset=messages[0].offset, error=str(error))
            return False
        self._ahead = False
        self.offset = messages[-1].offset + 1
        return True

    async def reach(self, offset: int, seconds: float = _CATCH_UP_SECONDS) -> None:
        """Returns once every record before `offset` is searched. Raises `Retry` when that takes too long."""
        try:
            async with asyncio.timeout(seconds):
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
        self, seen: Seen, now: datetime, *, least_score: float = SHIPPED_SCORE, production: str | None = None
    ) -> tuple[ReferenceMatch, ...]:
        """Every live reference that the picture holds, as a whole or in part, the surest first.

        Raises `Retry` while the index is made again or cannot be saved: what it does not hold yet, it would miss.
        """
        parts = await self.partial.search(seen.named_features(), min(least_score, LEAST_LOCAL_SCORE))
        if self._ahead or self.offset < self._owed:
            raise Retry(f"the index is at offset {self.offset} and may not answer yet")
        try:
            return matches(self._whole, self._catalogue, seen.picture, parts, Asked(now, least_score, production))
        except CatalogueDamaged as damage:
            self._mend(damage)
            raise Retry("the index was damaged and is made again") from damage

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
