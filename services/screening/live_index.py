"""The reference set as this process searches it, built from the `references` topic alone and kept up with it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import structlog

from services.screening.findings import SHIPPED_SCORE, best_first, is_live, match_of, partial_match_of
from services.screening.fingerprint.kinds import PDQ, PHASH
from services.screening.matching.corroborate import LEAST_LOCAL_SCORE, corroborate
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


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank as it stands: its settings and how many references it holds."""

    name: str
    settings: BankSettings
    references: int


class LiveIndex:
    """All live references with their banks' settings. One thread at a time: the event loop's."""

    def __init__(self, blobs: Blobs) -> None:
        self.offset = 0
        self.partial = PartialIndex(blobs)
        self._whole = WholeIndex()
        self._records: dict[str, ReferenceRegistered] = {}
        self._numbers: dict[str, int] = {}
        self._banks: dict[str, BankSettings] = {DEFAULT_BANK: BankSettings()}
        self._banks_changed: dict[str, datetime] = {}
        self._moved = asyncio.Event()

    async def follow(self, bus: Bus) -> None:
        """Applies the topic's records for ever."""
        async for messages in bus.follow(TOPIC):
            for message in messages:
                self.apply(message)
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
            self.take(event)
        self.offset = max(self.offset, message.offset + 1)

    def take(self, event: object) -> None:
        """What one record says; what is older than what is held is left out."""
        match event:
            case BankChanged() if event.changed_at >= (self.bank_changed_at(event.bank) or event.changed_at):
                self._banks[event.bank] = event.settings
                self._banks_changed[event.bank] = event.changed_at
            case ReferenceRegistered() if self._is_newer(event.reference_id, event.number):
                self._register(event)
            case ReferenceWithdrawn() | ReferenceRefused() if self._is_newer(event.reference_id, event.number):
                self._forget(event.reference_id)

    def _is_newer(self, reference_id: str, number: int) -> bool:
        if number < self._numbers.get(reference_id, 0):
            return False
        self._numbers[reference_id] = number
        return True

    def _register(self, record: ReferenceRegistered) -> None:
        self._forget(record.reference_id)
        prints = record.fingerprints
        self._records[record.reference_id] = record
        self._whole.add(
            record.reference_id,
            sha256=bytes.fromhex(prints.sha256),
            pdq=PDQ.parse(prints.pdq) if prints.pdq else None,
            phash=PHASH.parse(prints.phash) if prints.phash else None,
            quality=prints.pdq_quality or 0,
        )
        if record.features_sha256 is not None:
            self.partial.put(record.reference_id, record.features_sha256)

    def _forget(self, reference_id: str) -> None:
        if self._records.pop(reference_id, None) is not None:
            self._whole.remove(reference_id)
            self.partial.forget(reference_id)

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
            if near and is_live(record, bank, now):
                yield match_of(hit, record, bank, view)

    def _partial_matches(
        self, parts: list[tuple[PartialHit, str]], seen: SeenPicture, now: datetime
    ) -> Iterator[ReferenceMatch]:
        for hit, view in self._corroborated(parts, seen):
            if hit.reference_id in self._records:  # else withdrawn while we searched
                record, bank = self._of(hit.reference_id)
                if is_live(record, bank, now):
                    yield partial_match_of(hit, record, bank, view)

    def _corroborated(self, parts: list[tuple[PartialHit, str]], seen: SeenPicture) -> Iterator[tuple[PartialHit, str]]:
        """A few features and a hash that is a little too far say together what neither says alone."""
        for view in seen.views:
            hits = [hit for hit, name in parts if name == view.name]
            distances = self._whole.pdq_distances(view.pdq_variants(), [hit.reference_id for hit in hits])
            yield from ((hit, view.name) for hit in corroborate(hits, distances))

    def _of(self, reference_id: str) -> tuple[ReferenceRegistered, BankSettings]:
        record = self._records[reference_id]
        return record, self._banks.get(record.details.bank, BankSettings())

    def _hits(self, seen: SeenPicture, least_score: float) -> Iterator[tuple[Hit, str]]:
        reach = 2 * (1 - least_score)
        if seen.sha256:
            yield from ((hit, "picture") for hit in self._whole.search_sha256(bytes.fromhex(seen.sha256)))
        for view in seen.views:
            for hit in self._whole.search_pdq(view.pdq_variants(), view.pdq_quality, radius=round(PDQ.radius * reach)):
                yield hit, view.name
            if view.phash is not None and view.pdq_quality >= PDQ.least_quality:
                for hit in self._whole.search_phash(PHASH.parse(view.phash), radius=round(PHASH.radius * reach)):
                    yield hit, view.name

    def banks(self) -> tuple[Bank, ...]:
        """Every bank by name."""
        counts = dict.fromkeys(self._banks, 0)
        for record in self._records.values():
            counts[record.details.bank] = counts.get(record.details.bank, 0) + 1
        return tuple(Bank(name, self._banks.get(name, BankSettings()), counts[name]) for name in sorted(counts))

    def bank_changed_at(self, name: str) -> datetime | None:
        """When its settings in force were made; None for a bank that nobody has set."""
        return self._banks_changed.get(name)

    def __len__(self) -> int:
        return len(self._records)
