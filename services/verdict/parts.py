"""What the routes of the verdict service work with."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.verdict.announce import Announcing
from services.verdict.bell import Bell
from services.verdict.review import Review
from services.verdict.settings import VerdictSettings
from services.verdict.settle import Settling
from services.verdict.stream import Stream
from shared.store.engine import Store


@dataclass(frozen=True)
class Parts:
    """Made once in `main.py`. The events wake the workers that wait for them."""

    store: Store
    settings: VerdictSettings
    settling: Settling
    announcing: Announcing
    review: Review
    stream: Stream
    clock: Callable[[], datetime]
    bell: Bell
    documents_changed: asyncio.Event
    deliveries_queued: asyncio.Event
    rescans_asked: asyncio.Event
