"""Deliveries: one row for each message to one endpoint, from waiting to delivered or dead."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict.notify.endpoints import Endpoint
from services.verdict.notify.sending import Answer
from services.verdict.tables import deliveries, webhooks
from shared.cloudevents import Envelope
from shared.events import EscalationClosed, VerdictEscalated, VerdictReached
from shared.ids import new_id
from shared.store.columns import upsert

TEST = "clearframe.webhook.test.v1"
_SEEN_AT_ONCE = 200  # pending rows of one endpoint that are looked at; the next ones follow when these are done


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one endpoint. `wait_seconds` counts from `attempted_at`."""

    id: str
    webhook_id: str
    event_key: str
    type: str
    body: str
    state: str
    attempts: int
    wait_seconds: float
    attempted_at: datetime
    status: int | None
    error: str | None


def event_key(event: VerdictReached | VerdictEscalated | EscalationClosed) -> str:
    """The same for the same thing, however often and in whichever envelope it is told."""
    if isinstance(event, VerdictReached):
        return f"verdict/{event.verdict.id}"
    kind = "closed" if isinstance(event, EscalationClosed) else "escalated"
    return f"{kind}/{event.escalation_id}"


def body_of(type_: str, at: datetime, data: Any, contact: str | None = None) -> str:
    """A Standard Webhooks body. `contact`: who at the studio is to be informed, where the production names one."""
    to = {"contact": contact} if contact else {}
    return json.dumps({"type": type_, "timestamp": at.isoformat(), **to, "data": data}, separators=(",", ":"))


async def enqueue(
    connection: AsyncConnection,
    pairs: Iterable[tuple[Endpoint, Envelope]],
    contacts: Mapping[str, str | None],
    *,
    now: datetime,
) -> None:
    """A delivery for each (endpoint, event) that has none yet. `contacts` by production."""
    await _insert(connection, [_row(endpoint, envelope, contacts, now) for endpoint, envelope in pairs])


async def enqueue_body(
    connection: AsyncConnection, to: Iterable[Endpoint], *, key: str, type_: str, body: str, now: datetime
) -> None:
    """The same text for several endpoints, once each."""
    rows = [_values(new_id(), endpoint.id, key=key, type_=type_, body=body, now=now) for endpoint in to]
    await _insert(connection, rows)


async def _insert(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    if rows:
        unique = ["webhook_id", "event_key"]
        await connection.execute(upsert(connection, deliveries).on_conflict_do_nothing(index_elements=unique), rows)


async def enqueue_test(connection: AsyncConnection, endpoint: Endpoint, *, now: datetime) -> str:
    """A message that says nothing but hello; its id."""
    message_id = new_id()
    body = body_of(TEST, now, {"webhook_id": endpoint.id, "message": "This endpoint works."})
    row = _values(message_id, endpoint.id, key=f"test/{message_id}", type_=TEST, body=body, now=now)
    await connection.execute(deliveries.insert().values(row))
    return message_id


async def pending(connection: AsyncConnection) -> list[Delivery]:
    """Of each enabled endpoint the first that wait, fresh ones before retries."""
    c = deliveries.c
    place = func.row_number().over(partition_by=c.webhook_id, order_by=(c.wait_seconds, c.id)).label("place")
    ranked = (
        select(deliveries, place)
        .join(webhooks, webhooks.c.id == c.webhook_id)
        .where(c.state == "pending", webhooks.c.enabled)
        .subquery()
    )
    wanted = select(ranked).where(ranked.c.place <= _SEEN_AT_ONCE).order_by(ranked.c.wait_seconds, ranked.c.id)
    return [_delivery(row) for row in await connection.execute(wanted)]


async def record(
    connection: AsyncConnection, delivery: Delivery, answer: Answer, wait: float | None, *, now: datetime
) -> None:
    """What came of an attempt. `wait` is None when there will be no other."""
    state = "delivered" if answer.error is None else "dead" if wait is None else "pending"
    values = {
        "state": state,
        "attempts": delivery.attempts + 1,
        "wait_seconds": wait or 0.0,
        "attempted_at": now,
        "status": answer.status,
        "error": answer.error,
    }
    c = deliveries.c
    still = (c.id == delivery.id) & (c.state == "pending") & (c.attempts == delivery.attempts)
    await connection.execute(deliveries.update().where(still).values(**values))


async def give_up_on(connection: AsyncConnection, webhook_id: str, why: str) -> None:
    """Switches an endpoint off; what waits for it is dead until somebody redelivers it."""
    await connection.execute(
        webhooks.update().where(webhooks.c.id == webhook_id).values(enabled=False, disabled_because=why)
    )
    waiting = (deliveries.c.webhook_id == webhook_id) & (deliveries.c.state == "pending")
    await connection.execute(deliveries.update().where(waiting).values(state="dead", error=why))


async def forget_endpoint(connection: AsyncConnection, webhook_id: str) -> None:
    """Removes an endpoint with all that was sent to it."""
    await connection.execute(deliveries.delete().where(deliveries.c.webhook_id == webhook_id))
    await connection.execute(webhooks.delete().where(webhooks.c.id == webhook_id))


async def redeliver(connection: AsyncConnection, delivery: Delivery, *, now: datetime) -> None:
    """From the start of the schedule, under the same message id."""
    values = {"state": "pending", "attempts": 0, "wait_seconds": 0.0, "attempted_at": now, "error": None}
    await connection.execute(deliveries.update().where(deliveries.c.id == delivery.id).values(**values))


async def newest(
    connection: AsyncConnection, webhook_id: str, *, state: str | None, before: str | None, limit: int
) -> Sequence[Delivery]:
    """Of one endpoint, newest first."""
    c = deliveries.c
    conditions: list[ColumnElement[bool]] = [c.webhook_id == webhook_id]
    if state is not None:
        conditions.append(c.state == state)
    if before is not None:
        conditions.append(c.id < before)
    rows = await connection.execute(select(deliveries).where(*conditions).order_by(c.id.desc()).limit(limit))
    return [_delivery(row) for row in rows]


async def delivery(connection: AsyncConnection, webhook_id: str, delivery_id: str) -> Delivery | None:
    """One of an endpoint's."""
    c = deliveries.c
    wanted = select(deliveries).where(c.id == delivery_id, c.webhook_id == webhook_id)
    row = (await connection.execute(wanted)).one_or_none()
    return None if row is None else _delivery(row)


def _row(endpoint: Endpoint, envelope: Envelope, contacts: Mapping[str, str | None], now: datetime) -> dict[str, Any]:
    event = envelope.data
    assert isinstance(event, VerdictReached | VerdictEscalated | EscalationClosed)
    data = event.model_dump(mode="json", exclude_none=True)
    body = body_of(event.TYPE, envelope.time, data, contacts.get(event.production))
    return _values(new_id(), endpoint.id, key=event_key(event), type_=event.TYPE, body=body, now=now)


def _values(id_: str, webhook_id: str, *, key: str, type_: str, body: str, now: datetime) -> dict[str, Any]:
    return {
        "id": id_,
        "webhook_id": webhook_id,
        "event_key": key,
        "type": type_,
        "body": body,
        "state": "pending",
        "attempts": 0,
        "wait_seconds": 0.0,
        "attempted_at": now,
    }


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(**{name: getattr(row, name) for name in Delivery.__slots__})
