"""Sending records, in order, with an end to the waiting."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from shared.bus.kafka.clients import STOP_SECONDS, Lazy, plainly
from shared.bus.port import Record
from shared.errors import Unavailable

_PUBLISH_SECONDS = 20.0


class Publisher:
    """An idempotent producer repeats a batch until the brokers have it, however long that takes.

    So a publish that was given up is still on its way. The next one waits behind it: order holds, and memory is
    bounded while the brokers are away.
    """

    def __init__(self, new_producer: Callable[[], AIOKafkaProducer], prefix: str) -> None:
        self._producer = Lazy(new_producer, _stop)
        self._prefix = prefix
        self._overdue: set[asyncio.Future[object]] = set()

    async def publish(self, records: Sequence[Record]) -> None:
        """See `Bus`."""
        sending: list[asyncio.Future[object]] = []
        try:
            with plainly("publish"):
                async with asyncio.timeout(_PUBLISH_SECONDS):
                    producer = await self._producer.get()
                    if self._overdue:
                        await asyncio.wait(self._overdue)
                    for record in records:
                        sending.append(await self._send(producer, record))
                    if sending:
                        await asyncio.wait(sending)
        finally:
            for future in sending:
                self._watch(future)
        await self._check(producer, sending)

    async def close(self) -> None:
        """Waits a moment for what is on its way."""
        await self._producer.close()

    async def _send(self, producer: AIOKafkaProducer, record: Record) -> "asyncio.Future[object]":
        headers = [(name, value.encode()) for name, value in record.headers.items()]
        return await producer.send(self._prefix + record.topic, record.value, record.key.encode(), headers=headers)

    def _watch(self, future: "asyncio.Future[object]") -> None:
        if not future.done():
            self._overdue.add(future)
            future.add_done_callback(self._arrived)

    def _arrived(self, future: "asyncio.Future[object]") -> None:
        self._overdue.discard(future)
        _failure(future)  # its publisher has given up and does not ask any more

    async def _check(self, producer: AIOKafkaProducer, sent: Sequence["asyncio.Future[object]"]) -> None:
        failures = [failure for future in sent if (failure := _failure(future)) is not None]
        for failure in failures:
            if isinstance(failure, MessageSizeTooLargeError) or not isinstance(failure, KafkaError):
                raise failure
        if failures:
            await self._producer.drop(producer)  # its sequence numbers may have a gap
            raise Unavailable(f"kafka: publish: {failures[0]!r}") from failures[0]


def _failure(future: "asyncio.Future[object]") -> BaseException | None:
    return None if future.cancelled() else future.exception()


async def _stop(producer: AIOKafkaProducer) -> None:
    """A producer that was let go must not send any more: what its successor sent would be overtaken."""
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS / 2):
            await producer.stop()
            return
    # `stop` waits for brokers that may be away, and has no other way to end the sending
    await producer._sender.close()
    await producer.client.close()
