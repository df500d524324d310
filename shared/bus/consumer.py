"""The one consumer loop: fetch, handle, commit; and what each kind of error does.

Delivery is at least once. A batch is committed after its handler returned, which says that its effect is durable.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import structlog

from shared.bus.dead import bury, dead_topic
from shared.bus.port import Bus, Message, Subscription, TopicSpec
from shared.errors import ClearframeError, OutOfSpace, Reject, Retry, Unavailable

Handler = Callable[[Sequence[Message]], Awaitable[None]]

_log = structlog.get_logger(__name__)
_PASSING = (Retry, Unavailable, OutOfSpace)


class TooManyRejections(ClearframeError):  # noqa: N818
    """Something other than the messages is wrong. The last one is neither committed nor buried."""


@dataclass(frozen=True, slots=True)
class ConsumerSettings:
    """Seconds, unless the name says otherwise."""

    max_records: int = 200
    wait: float = 5.0
    keep_alive: float = 2.0
    first_pause: float = 0.2
    longest_pause: float = 15.0
    rejections_in_a_row: int = 100
    lag_every: float = 15.0


class Observer(Protocol):
    """Hears what a consumer does."""

    def handled(self, messages: int, seconds: float) -> None:
        """A batch is done and committed."""

    def retried(self, messages: int, error: Exception) -> None:
        """A batch will come again after a pause."""

    def rejected(self, message: Message, code: str) -> None:
        """A message went to the dead letters."""

    def lagging(self, records: int) -> None:
        """So many records were still to commit."""


class Silent:
    """An observer that looks away."""

    def handled(self, messages: int, seconds: float) -> None:
        """See `Observer`."""

    def retried(self, messages: int, error: Exception) -> None:
        """See `Observer`."""

    def rejected(self, message: Message, code: str) -> None:
        """See `Observer`."""

    def lagging(self, records: int) -> None:
        """See `Observer`."""


class Consumer:
    """Hands batches to `handler`, one at a time.

    `Retry`, `Unavailable`, `OutOfSpace`: the same messages again after a pause. `Reject`: the batch once more, a
    message at a time, and the one that fails to `<topic>.dead`. Any other error ends `run` with the offset uncommitted.
    """

    def __init__(
        self,
        bus: Bus,
        group: str,
        topics: Sequence[str],
        handler: Handler,
        *,
        settings: ConsumerSettings | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._bus = bus
        self._group = group
        self._topics = tuple(topics)
        self._handler = handler
        self._settings = settings or ConsumerSettings()
        self._observer = observer or Silent()
        self._failures = 0
        self._rejections = 0
        self._lag_at = 0.0

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; the batch in hand is finished and committed first. Raises `TooManyRejections`."""
        stop = asyncio.create_task(stopping.wait(), name=f"{self._group}-stop")
        try:
            while not stop.done():
                try:
                    await self._bus.ensure_topics([_dead_spec(topic) for topic in self._topics])
                    async with self._bus.subscribe(self._group, self._topics) as subscription:
                        await self._consume(subscription, stop)
                except _PASSING as error:
                    await self._pause(error, 0, stop)
        finally:
            stop.cancel()

    async def _consume(self, subscription: Subscription, stop: "asyncio.Task[bool]") -> None:
        while not stop.done():
            try:
                await self._report_lag()
                batch = await self._fetch(subscription, stop)
            except _PASSING as error:
                await self._pause(error, 0, stop)
                continue
            if batch:
                await self._work_off(subscription, batch, stop)

    async def _fetch(self, subscription: Subscription, stop: "asyncio.Task[bool]") -> list[Message]:
        """Nothing once `stop` is done; what was on its way then stays uncommitted."""
        fetching = asyncio.ensure_future(
            subscription.fetch(max_records=self._settings.max_records, wait=self._settings.wait)
        )
        try:
            await asyncio.wait({fetching, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not fetching.done():
                fetching.cancel()
                await asyncio.wait({fetching})
        return [] if fetching.cancelled() else fetching.result()

    async def _work_off(self, subscription: Subscription, batch: Sequence[Message], stop: "asyncio.Task[bool]") -> None:
        singly = False
        while batch and not (singly and stop.done()):
            part = batch[:1] if singly else batch
            started = time.monotonic()
            try:
                reject = await self._handle(subscription, part)
                if reject and len(part) > 1:
                    singly = True
                    continue
                if reject:
                    await self._reject(part[0], reject)
                await subscription.commit(part)
            except _PASSING as error:
                await subscription.rewind(batch)
                await self._pause(error, len(batch), stop, subscription)
                return
            self._failures = 0
            self._rejections = self._rejections + 1 if reject else 0
            self._observer.handled(len(part), time.monotonic() - started)
            batch = batch[len(part) :]

    async def _handle(self, subscription: Subscription, messages: Sequence[Message]) -> Reject | None:
        """The handler's verdict on the messages. The group hears of us however long it takes."""
        handling = asyncio.ensure_future(self._handler(messages))
        try:
            while not (await asyncio.wait({handling}, timeout=self._settings.keep_alive))[0]:
                await _keep_alive(subscription)
            handling.result()
        except Reject as reject:
            return reject
        finally:
            if not handling.done():
                handling.cancel()
                await asyncio.wait({handling})
        return None

    async def _reject(self, message: Message, reject: Reject) -> None:
        in_a_row = self._rejections + 1
        if in_a_row >= self._settings.rejections_in_a_row:
            raise TooManyRejections(
                f"{self._group}: {in_a_row} messages in a row were rejected, the last at {message.topic}"
                f"[{message.partition}]@{message.offset} ({reject}): find the cause, then start again"
            ) from reject
        await self._bus.publish([bury(message, reject, group=self._group, at_ms=time.time_ns() // 1_000_000)])
        self._observer.rejected(message, reject.code)
        _log.warning("rejected", group=self._group, topic=message.topic, offset=message.offset, code=reject.code)

    async def _pause(
        self, error: Exception, messages: int, stop: "asyncio.Task[bool]", subscription: Subscription | None = None
    ) -> None:
        """Longer each time, with jitter. Keeps its partitions meanwhile."""
        self._observer.retried(messages, error)
        _log.warning("retrying", group=self._group, messages=messages, failures=self._failures, error=str(error))
        longest = min(self._settings.first_pause * 2 ** min(self._failures, 16), self._settings.longest_pause)
        self._failures += 1
        wake_at = time.monotonic() + longest * random.uniform(0.5, 1.0)
        while not stop.done() and (left := wake_at - time.monotonic()) > 0:
            await asyncio.wait({stop}, timeout=min(left, self._settings.keep_alive))
            if subscription is not None:
                await _keep_alive(subscription)

    async def _report_lag(self) -> None:
        if time.monotonic() >= self._lag_at:
            self._lag_at = time.monotonic() + self._settings.lag_every
            with suppress(*_PASSING):
                self._observer.lagging(await self._bus.lag(self._group, self._topics))


async def _keep_alive(subscription: Subscription) -> None:
    with suppress(*_PASSING):  # the next fetch will meet the same trouble, and says so
        await subscription.keep_alive()


def _dead_spec(topic: str) -> TopicSpec:
    return TopicSpec(dead_topic(topic), partitions=1, keep_for_ever=True)
