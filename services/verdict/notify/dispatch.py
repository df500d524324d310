"""Sends what waits for the endpoints: each endpoint on its own, so that a slow one holds up nobody else."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog

from services.verdict.notify import deliveries
from services.verdict.notify.deliveries import Delivery
from services.verdict.notify.endpoints import Endpoint, endpoints, signed_headers
from services.verdict.notify.retries import next_wait, remaining
from services.verdict.notify.sending import Answer, Sender
from shared import metrics
from shared.errors import Retry, Unavailable
from shared.store.engine import Store

_log = structlog.get_logger("clearframe.webhooks")
_AT_ONCE = 4  # to one endpoint
_GRACE_SECONDS = 3.0


@dataclass
class Dispatcher:
    """Waits are measured by the monotonic clock; the wall clock only bounds what is left after a restart."""

    store: Store
    sender: Sender
    queued: asyncio.Event
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    _due: dict[tuple[str, int], float] = field(default_factory=dict)
    _busy: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)
    _failure: BaseException | None = None
    _alarm: asyncio.TimerHandle | None = None

    async def step(self) -> bool:
        """Starts what is due; what broke an earlier attempt is raised here."""
        if self._failure is not None:
            raise self._failure
        await self.look()
        return False

    async def look(self) -> None:
        """Starts what is due."""
        async with self.store.read() as connection:
            waiting = await deliveries.pending(connection)
            listening = {endpoint.id: endpoint for endpoint in await endpoints(connection, enabled=True)}
        self._forget_all_but(waiting)
        for endpoint_id, rows in self._due_now(waiting).items():
            if endpoint_id in listening and endpoint_id not in self._busy:
                task = asyncio.create_task(self._serve(listening[endpoint_id], rows), name=f"webhook-{endpoint_id}")
                self._busy[endpoint_id] = task
                task.add_done_callback(partial(self._served, endpoint_id))
        self._look_again()

    def _due_now(self, waiting: Sequence[Delivery]) -> dict[str, list[Delivery]]:
        found: dict[str, list[Delivery]] = defaultdict(list)
        for row in waiting:
            key = row.id, row.attempts
            if key not in self._due:
                elapsed = (self.clock() - row.attempted_at).total_seconds()
                self._due[key] = self.monotonic() + remaining(row.wait_seconds, elapsed)
            if self._due[key] <= self.monotonic():
                found[row.webhook_id].append(row)
        return found

    def _look_again(self) -> None:
        """In time for the next that is due, instead of asking the database every moment."""
        now = self.monotonic()
        waits = [due - now for due in self._due.values() if due > now]
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = asyncio.get_running_loop().call_later(min(waits), self.queued.set) if waits else None

    def _forget_all_but(self, waiting: Sequence[Delivery]) -> None:
        kept = {(row.id, row.attempts) for row in waiting}
        self._due = {key: due for key, due in self._due.items() if key in kept}

    async def _serve(self, endpoint: Endpoint, rows: Sequence[Delivery]) -> None:
        for start in range(0, len(rows), _AT_ONCE):
            answers = await asyncio.gather(*(self._attempt(endpoint, row) for row in rows[start : start + _AT_ONCE]))
            if any(answer.status == 410 for answer in answers):
                await self.store.together(lambda c: deliveries.give_up_on(c, endpoint.id, "the endpoint answered 410"))
                return

    async def _attempt(self, endpoint: Endpoint, row: Delivery) -> Answer:
        now = self.clock()
        answer = await self.sender.post(
            endpoint.url, row.body.encode(), signed_headers(endpoint, row.id, row.body, now)
        )
        wait = None if answer.error is None else next_wait(row.attempts + 1, answer, chance=random.random())
        await self.store.together(lambda c: deliveries.record(c, row, answer, wait, now=self.clock()))
        if wait is not None:
            self._due[row.id, row.attempts + 1] = self.monotonic() + wait
        metrics.NOTIFICATIONS.labels(_result(answer, wait)).inc()
        if answer.error is not None:
            _log.info(
                "delivery_failed", delivery=row.id, webhook=endpoint.id, attempt=row.attempts + 1, why=answer.error
            )
        return answer

    def _served(self, endpoint_id: str, task: "asyncio.Task[None]") -> None:
        self._busy.pop(endpoint_id, None)
        self.queued.set()
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Retry | Unavailable):
            _log.warning("deliveries_wait", webhook=endpoint_id, reason=str(error))
        elif error is not None:
            self._failure = error

    async def finish(self) -> None:
        """Gives attempts under way a few seconds to end."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._busy:
            tasks = list(self._busy.values())
            _, late = await asyncio.wait(tasks, timeout=_GRACE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _result(answer: Answer, wait: float | None) -> str:
    return "delivered" if answer.error is None else "dead" if wait is None else "failed"
