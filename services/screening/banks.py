"""Banks: named sets of references with their own thresholds. Their settings travel with the references."""

from datetime import UTC, datetime, timedelta

from services.screening.catalogue import Bank
from services.screening.live_index import DEFAULT_BANK, TOPIC, LiveIndex
from shared.bus.port import Bus
from shared.cloudevents import Envelope, encode
from shared.events import BankChanged, BankSettings
from shared.ids import new_id

SOURCE = "clearframe/screening"


class Banks:
    """Reads from the live index; writes to the log that every index follows, and waits until ours has it."""

    def __init__(self, bus: Bus, index: LiveIndex) -> None:
        self._bus = bus
        self._index = index

    def all(self) -> tuple[Bank, ...]:
        """Every bank by name."""
        return self._index.banks()

    def find(self, name: str) -> Bank | None:
        """The bank of this name."""
        return next((bank for bank in self.all() if bank.name == name), None)

    async def put(self, name: str, settings: BankSettings) -> Bank:
        """Makes a bank or changes it; in force here when this returns, and everywhere within a second."""
        event = BankChanged(bank=name, settings=settings, changed_at=self._next_time(name))
        # No state besides the log itself: nothing to be consistent with, so no outbox.
        await self._bus.publish([encode(Envelope(new_id(), SOURCE, event.changed_at, event))])
        await self._index.reach(await self._bus.end_offset(TOPIC))
        return self.find(name) or Bank(name, settings, 0)

    def _next_time(self, name: str) -> datetime:
        """Now, but after the change in force, whatever the clock of whoever made that one showed."""
        now, held = datetime.now(UTC), self._index.bank_changed_at(name)
        return now if held is None else max(now, held + timedelta(microseconds=1))

    async def ensure_default(self) -> None:
        """A fresh log gets the bank that uploads are compared with from the start."""
        if await self._bus.end_offset(TOPIC) == 0:
            event = BankChanged(bank=DEFAULT_BANK, settings=BankSettings(), changed_at=datetime.now(UTC))
            await self._bus.publish([encode(Envelope(new_id(), SOURCE, event.changed_at, event))])
