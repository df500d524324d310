"""From screening to verdict: takes what was screened, decides it, and makes verdict and events durable together."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.verdict.announce import Announcing
from services.verdict.keepable import check_names, check_screened
from services.verdict.settle import Settling
from services.verdict.state import Occasion
from shared.bus.port import Message
from shared.cloudevents import decode
from shared.errors import Reject
from shared.events import AssetScreened, Event, RescanRequested
from shared.store.engine import Store

TOPICS = ("assets.screened", "rescans")
GROUP = "verdict"


@dataclass(frozen=True)
class VerdictWorker:
    """One batch, one transaction. Exactly once in effect: an occasion that was dealt with before is left out."""

    store: Store
    settling: Settling
    announcing: Announcing

    async def handle(self, messages: Sequence[Message]) -> None:
        """Durable on return. Raises Reject for a message that can never become a verdict."""
        occasions = [occasion for message in messages if (occasion := occasion_of(decode(message).data))]
        async with self.store.write() as connection:
            settled = await self.settling.settle(connection, occasions)
        self.announcing.announce(settled, self.settling.clock())


def occasion_of(event: Event) -> Occasion | None:
    """Why to decide, and what; None for a rescan that screening takes up first."""
    if isinstance(event, RescanRequested):
        check_names((event.asset_id, event.rescan_id))
        return None if event.screens else Occasion(event.asset_id, "rescanned", event.rescan_id)
    if not isinstance(event, AssetScreened):
        raise Reject("unexpected_event", event.TYPE)
    check_screened(event)
    return Occasion(event.asset_id, event.cause, event.cause_id, event)
