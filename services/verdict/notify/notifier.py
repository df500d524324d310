"""Tells people: a log line for every escalation and caution, and a delivery for every endpoint that asked for it.

Escalations and cautions are told at once; of what is clear, the contact of the production hears in a digest.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from services.verdict.keepable import check_names
from services.verdict.notify import deliveries
from services.verdict.notify.digests import schedule
from services.verdict.notify.endpoints import NOTIFIED, endpoints
from shared.bus.port import Message
from shared.cloudevents import Envelope, decode
from shared.events import VerdictEscalated, VerdictReached
from shared.store.directory import Directory
from shared.store.engine import Store
from shared.store.entries import Production
from shared.verdicts import Outcome

GROUP = "notifier"
TOPICS = ("verdicts", "escalations")
_log = structlog.get_logger("clearframe.notify")


@dataclass(frozen=True)
class Notifier:
    """Hears `verdicts` and `escalations`. At least once: a repeated event finds its delivery already there."""

    store: Store
    directory: Directory
    clock: Callable[[], datetime]
    queued: asyncio.Event
    digest_hour: int = 8

    async def handle(self, messages: Sequence[Message]) -> None:
        """Durable on return. Raises Reject for a message that is no event of ours."""
        envelopes = [_decoded(message) for message in messages]
        productions = await self._productions(envelopes)
        contacts = {slug: production.contact for slug, production in productions.items()}
        clear = {event.production: None for event in _reached(envelopes, Outcome.CLEAR)}
        async with self.store.write() as connection:
            listening = await endpoints(connection, enabled=True)
            pairs = [
                (e, envelope) for envelope in envelopes for e in listening if e.wants(envelope.data, envelope.time)
            ]
            await deliveries.enqueue(connection, pairs, contacts, now=self.clock())
            await schedule(connection, [productions[slug] for slug in clear], self.digest_hour, self.clock())
        for envelope in envelopes:
            _log_escalation(envelope, contacts)
        for event in _reached(envelopes, Outcome.CAUTION):
            _log_caution(event, contacts)
        self.queued.set()

    async def _productions(self, envelopes: Sequence[Envelope]) -> dict[str, Production]:
        """Those that the events are about; one that nobody set up has no contact."""
        slugs = {envelope.data.production for envelope in envelopes if isinstance(envelope.data, NOTIFIED)}
        return {slug: await self.directory.production(slug) or Production(slug, slug) for slug in sorted(slugs)}


def _decoded(message: Message) -> Envelope:
    envelope = decode(message)
    if isinstance(envelope.data, NOTIFIED):
        check_names((deliveries.event_key(envelope.data), envelope.data.production))
    return envelope


def _reached(envelopes: Sequence[Envelope], outcome: Outcome) -> list[VerdictReached]:
    events = [envelope.data for envelope in envelopes]
    return [event for event in events if isinstance(event, VerdictReached) and event.verdict.outcome is outcome]


def _log_caution(event: VerdictReached, contacts: Mapping[str, str | None]) -> None:
    _log.warning(
        "caution_reached",
        asset=event.asset_id,
        production=event.production,
        contact=contacts.get(event.production),
        rules=[reason.rule for reason in event.verdict.reasons if reason.counts],
    )


def _log_escalation(envelope: Envelope, contacts: Mapping[str, str | None]) -> None:
    event = envelope.data
    if isinstance(event, VerdictEscalated):
        _log.warning(
            "escalation_opened",
            escalation=event.escalation_id,
            asset=event.asset_id,
            production=event.production,
            contact=contacts.get(event.production),
            due_at=event.due_at.isoformat(),
            rules=[reason.rule for reason in event.verdict.reasons if reason.counts],
        )
