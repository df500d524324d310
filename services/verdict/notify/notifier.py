"""Tells people: a log line for every escalation, and a delivery for every endpoint that asked for the event."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from services.verdict.keepable import check_names
from services.verdict.notify import deliveries
from services.verdict.notify.endpoints import NOTIFIED, endpoints
from shared.bus.port import Message
from shared.cloudevents import Envelope, decode
from shared.events import VerdictEscalated
from shared.store.engine import Store

GROUP = "notifier"
TOPICS = ("verdicts", "escalations")
_log = structlog.get_logger("clearframe.notify")


@dataclass(frozen=True)
class Notifier:
    """Hears `verdicts` and `escalations`. At least once: a repeated event finds its delivery already there."""

    store: Store
    clock: Callable[[], datetime]
    queued: asyncio.Event

    async def handle(self, messages: Sequence[Message]) -> None:
        """Durable on return. Raises Reject for a message that is no event of ours."""
        envelopes = [_decoded(message) for message in messages]
        async with self.store.write() as connection:
            listening = await endpoints(connection, enabled=True)
            pairs = [
                (e, envelope) for envelope in envelopes for e in listening if e.wants(envelope.data, envelope.time)
            ]
            await deliveries.enqueue(connection, pairs, now=self.clock())
        for envelope in envelopes:
            _log_escalation(envelope)
        self.queued.set()


def _decoded(message: Message) -> Envelope:
    envelope = decode(message)
    if isinstance(envelope.data, NOTIFIED):
        check_names((deliveries.event_key(envelope.data), envelope.data.production))
    return envelope


def _log_escalation(envelope: Envelope) -> None:
    event = envelope.data
    if isinstance(event, VerdictEscalated):
        _log.warning(
            "escalation_opened",
            escalation=event.escalation_id,
            asset=event.asset_id,
            production=event.production,
            due_at=event.due_at.isoformat(),
            rules=[reason.rule for reason in event.verdict.reasons if reason.counts],
        )
