"""A relay that is killed after it published and before it deletes. Arguments: the store's address, the bus's file."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import MetaData

from shared.bus.embedded import EmbeddedBus
from shared.bus.port import Record
from shared.outbox import Outbox, Relay, outbox_table
from shared.store.engine import open_store
from shared.store.leases import Lease, lease_table


class Deadly(EmbeddedBus):
    """Publishes, and that is the last it does."""

    async def publish(self, records: Sequence[Record]) -> None:
        await super().publish(records)
        os.kill(os.getpid(), signal.SIGKILL)


async def main(store_url: str, bus_file: str) -> None:
    metadata = MetaData()
    store = open_store(store_url, "example")
    lease = Lease(store, lease_table(metadata), "relay", "doomed")
    await Relay(store, Outbox(outbox_table(metadata), "example"), Deadly(Path(bus_file)), lease).run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
