"""Clients of aiokafka that are started on first use, and its errors in our words."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Generic, Protocol, TypeVar

from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    KafkaUnavailableError,
    NodeNotReadyError,
    ProducerClosed,
)

from shared.errors import Unavailable

STOP_SECONDS = 10.0
_ANSWER_SECONDS = 15.0
_PASSING = (KafkaConnectionError, KafkaTimeoutError, KafkaUnavailableError, NodeNotReadyError, ProducerClosed)


@contextmanager
def plainly(doing: str) -> Iterator[None]:
    """Trouble that will pass becomes `Unavailable`; other errors of Kafka stay what they are."""
    try:
        yield
    except KafkaError as error:
        if isinstance(error, _PASSING) or error.retriable:
            raise Unavailable(f"kafka: {doing}: {error!r}") from error
        raise
    except (OSError, TimeoutError) as error:
        raise Unavailable(f"kafka: {doing}: {error!r}") from error


class Client(Protocol):
    """What producers, consumers and admin clients have in common once wrapped."""

    async def start(self) -> None:
        """Connects."""


ClientT = TypeVar("ClientT", bound=Client)


class Lazy(Generic[ClientT]):
    """One client, made and started when first asked for, and again after it was dropped."""

    def __init__(self, make: Callable[[], ClientT], stop: Callable[[ClientT], Awaitable[None]]) -> None:
        self._make = make
        self._stop = stop
        self._client: ClientT | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> ClientT:
        """The started client. Raises what `start` raises."""
        async with self._lock:
            if self._client is None:
                client = self._make()
                try:
                    await client.start()
                except BaseException:
                    await self._let_go(client)
                    raise
                self._client = client
            return self._client

    @asynccontextmanager
    async def using(self, doing: str) -> AsyncIterator[ClientT]:
        """The client for one question. Raises `Unavailable` without an answer; the next one gets a new connection."""
        client: ClientT | None = None
        try:
            with plainly(doing):
                async with asyncio.timeout(_ANSWER_SECONDS):
                    client = await self.get()
                    yield client
        except Unavailable:
            if client is not None:
                await self.drop(client)
            raise

    async def drop(self, client: ClientT) -> None:
        """Another one next time."""
        if self._client is client:
            self._client = None
            await self._let_go(client)

    async def close(self) -> None:
        """Stops the client if there is one."""
        if self._client is not None:
            await self.drop(self._client)

    async def _let_go(self, client: ClientT) -> None:
        with suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._stop(client)
