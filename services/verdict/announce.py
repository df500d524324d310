"""What follows once verdicts are durable: relay, streams and the rescans' feeder hear of it, metrics count it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.verdict.bell import Bell
from services.verdict.changes import Settled
from shared import metrics
from shared.outbox import Outbox


@dataclass(frozen=True)
class Announcing:
    """Within this process; other replicas find out by looking."""

    outbox: Outbox
    bell: Bell
    rescans_asked: asyncio.Event

    def announce(self, settled: Sequence[Settled], now: datetime) -> None:
        """Call it after the commit."""
        self.outbox.wake()
        if any(one.result == "revised" for one in settled):
            self.bell.ring()
        if any(one.occasion.cause == "rescanned" for one in settled):
            self.rescans_asked.set()
        for one in settled:
            _count(one, now)


def _count(one: Settled, now: datetime) -> None:
    if one.result != "revised":
        return
    metrics.VERDICTS.labels(one.after, one.occasion.cause).inc()
    screened = one.occasion.screened
    if one.before is None and screened is not None:
        metrics.VERDICT_SECONDS.observe(max(0.0, (now - screened.submitted.submitted_at).total_seconds()))
