"""The screening worker: from an upload on the bus to its findings on the bus."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.screening.findings import findings_of
from services.screening.live_index import TOPIC, LiveIndex
from services.screening.look import Looker
from services.screening.record import Screening, latest_submissions, number_and_insert, pending
from services.screening.seen import Seen
from services.screening.tables import outbox as outbox_rows
from shared import metrics
from shared.bus.port import Bus, Message
from shared.cloudevents import decode
from shared.errors import Reject
from shared.events import AssetScreened, AssetSubmitted, RescanRequested
from shared.findings import ReferenceMatch, Unscreenable
from shared.outbox import Outbox
from shared.store.engine import Store
from shared.verdicts import Cause, ScreeningVersions

TOPICS = (AssetSubmitted.TOPIC, RescanRequested.TOPIC)
ENGINE = "whole-1+local-1"
"""Which searches ran: names change with what they find."""


@dataclass(frozen=True, slots=True)
class Job:
    """One asset to screen, and why."""

    submitted: AssetSubmitted
    cause: Cause
    cause_id: str
    decodes_anew: bool = False

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes a repeated message recognisable."""
        return (self.submitted.asset_id, self.cause, self.cause_id)


class Screener:
    """Handles batches of `assets.submitted` and `rescans`. Durable when `handle` returns; repeats change nothing."""

    def __init__(self, store: Store, bus: Bus, index: LiveIndex, looker: Looker) -> None:
        self._store = store
        self._bus = bus
        self._index = index
        self._looker = looker
        self._outbox = Outbox(outbox_rows, "clearframe/screening")

    @property
    def outbox(self) -> Outbox:
        """For the relay."""
        return self._outbox

    async def handle(self, messages: Sequence[Message]) -> None:
        """Screens what these messages ask for and is not screened yet."""
        jobs = await self._jobs(messages)
        if not jobs:
            return
        # Whoever registered a reference and then uploads must find it searched.
        await self._index.reach(await self._bus.end_offset(TOPIC))
        with metrics.SCREENING_SECONDS.time():
            pictures = await self._pictures(jobs)
        now = datetime.now(UTC)
        screenings = [await self._screen(job, pictures[job.submitted.sha256], now) for job in jobs]
        await self._commit(screenings, pictures, now)

    async def _jobs(self, messages: Sequence[Message]) -> list[Job]:
        events = [decode(message).data for message in messages]
        jobs = [Job(e, e.cause, e.cause_id) for e in events if isinstance(e, AssetSubmitted)]
        rescans = [event for event in events if isinstance(event, RescanRequested)]
        if len(jobs) + len(rescans) != len(events):
            raise Reject("unexpected_event", "screening takes assets and rescans")
        jobs += await self._again(rescans)
        async with self._store.read() as connection:
            return await pending(connection, list({job.identity: job for job in jobs}.values()))

    async def _again(self, rescans: list[RescanRequested]) -> list[Job]:
        """An asset without a screening yet is about to get one that is as fresh: nothing to do."""
        wanted = {event.asset_id: event for event in rescans if event.screens}
        if not wanted:
            return []
        async with self._store.read() as connection:
            submissions = await latest_submissions(connection, wanted)
        return [
            Job(
                submitted,
                "rescanned",
                wanted[submitted.asset_id].rescan_id,
                "engine" in wanted[submitted.asset_id].anew,
            )
            for submitted in submissions
        ]

    async def _pictures(self, jobs: list[Job]) -> dict[str, Seen]:
        recorded = await self._looker.recorded(job.submitted.sha256 for job in jobs if not job.decodes_anew)
        missing = {job.submitted.sha256 for job in jobs if job.decodes_anew} | {
            job.submitted.sha256 for job in jobs if job.submitted.sha256 not in recorded
        }
        return recorded | await self._looker.at_all(missing)

    async def _screen(self, job: Job, seen: Seen, now: datetime) -> Screening:
        matches = await self._index.search(seen, now, production=job.submitted.production)
        event = AssetScreened(
            asset_id=job.submitted.asset_id,
            production=job.submitted.production,
            number=1,  # given in the transaction
            cause=job.cause,
            cause_id=job.cause_id,
            submitted=job.submitted,
            findings=findings_of(seen.picture, job.submitted.filename, matches),
            fingerprints=seen.picture.fingerprints(self._looker.pipeline),
            versions=ScreeningVersions(engine=ENGINE, index=str(self._index.offset), decoder=self._looker.pipeline),
            screened_at=now,
        )
        return Screening(event, self._index.offset)

    async def _commit(self, screenings: list[Screening], pictures: dict[str, Seen], now: datetime) -> None:
        async with self._store.write() as connection:
            await self._looker.record(connection, pictures.values(), now)
            events = await number_and_insert(connection, screenings)
            await self._outbox.add(connection, events, now=now)
        self._outbox.wake()
        _count(screenings)


def _count(screenings: list[Screening]) -> None:
    for screening in screenings:
        findings = screening.event.findings
        refused = next((finding.reason for finding in findings if isinstance(finding, Unscreenable)), None)
        metrics.SCREENINGS.labels(refused or "screened").inc()
        for match in findings:
            if isinstance(match, ReferenceMatch):
                metrics.MATCHES.labels(match.detector).inc()
