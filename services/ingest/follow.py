"""What ingest learns from the bus: verdicts of its assets, answers about its references, banks."""

from collections.abc import Sequence

from services.ingest import assets, references
from services.ingest.reference_intake import GROUP
from services.ingest.waiting import Waiting
from shared.bus.consumer import Consumer
from shared.bus.port import Bus, Message
from shared.cloudevents import decode
from shared.events import BankChanged, Event, ReferenceEvent, VerdictReached
from shared.store.engine import Store
from shared.telemetry import ConsumerMetrics

TOPICS = (VerdictReached.TOPIC, BankChanged.TOPIC)


class Follower:
    """Handles batches of `verdicts` and `references`. Repeats and older news change nothing."""

    def __init__(self, store: Store, waiting: Waiting) -> None:
        self._store = store
        self._waiting = waiting

    def consumer(self, bus: Bus) -> Consumer:
        """The loop to run."""
        return Consumer(bus, GROUP, TOPICS, self.handle, observer=ConsumerMetrics(GROUP))

    async def handle(self, messages: Sequence[Message]) -> None:
        """Durable when this returns; then whoever waits is woken."""
        events = [decode(message).data for message in messages]
        verdicts = [event.verdict for event in events if isinstance(event, VerdictReached)]
        async with self._store.write() as connection:
            await assets.put_verdicts(connection, verdicts)
            await references.put_answers(connection, events)
        self._waiting.wake(_subject(event) for event in events)


def _subject(event: Event) -> str:
    """What a request would wait for."""
    return event.reference_id if isinstance(event, ReferenceEvent) else event.key
