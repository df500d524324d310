"""`/v1/webhooks`: who is told of verdicts, and what became of each message."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict.notify import deliveries, endpoints
from services.verdict.notify.addresses import RefusedAddress, check_url
from services.verdict.notify.deliveries import Delivery
from services.verdict.notify.digests import DIGEST
from services.verdict.notify.endpoints import NOTIFIED, Endpoint, new_secret
from services.verdict.parts import Parts
from shared.ids import new_id
from shared.principal import EVERY_PRODUCTION, Principal
from shared.rulebook.model import OutcomeName
from shared.web.auth import require
from shared.web.openapi import answers
from shared.web.paging import Page, Paging
from shared.web.problems import Problem, invalid, not_found

Operator = Annotated[Principal, Depends(require("operate"))]
EventType = Literal[
    "clearframe.verdict.reached.v1",
    "clearframe.verdict.escalated.v1",
    "clearframe.escalation.closed.v1",
    "clearframe.production.digest.v1",
]
DeliveryState = Literal["pending", "delivered", "dead"]
assert {event.TYPE for event in NOTIFIED} | {DIGEST} == set(EventType.__args__)  # type: ignore[attr-defined]  # a Literal has them


class WebhookRequest(BaseModel):
    """An endpoint to tell. Without productions, all that the key reaches."""

    model_config = ConfigDict(extra="forbid")
    url: str = Field(min_length=1, max_length=2000, description="https, at a public address")
    description: str = Field("", max_length=300)
    events: list[EventType] = Field(default=["clearframe.verdict.escalated.v1"], min_length=1, max_length=4)
    outcomes: list[OutcomeName] = Field(default=[], max_length=3, description="an empty list: all outcomes")
    productions: list[Annotated[str, Field(min_length=1, max_length=60)]] | None = Field(None, max_length=200)
    enabled: bool = True


class WebhookChange(BaseModel):
    """What to change of an endpoint."""

    model_config = ConfigDict(extra="forbid")
    enabled: bool | None = None
    description: str | None = Field(None, max_length=300)


class WebhookView(BaseModel):
    """An endpoint, without its secret."""

    id: str
    url: str
    description: str
    events: list[str]
    outcomes: list[str]
    productions: list[str]
    enabled: bool
    disabled_because: str | None
    created_by: str
    created_at: datetime


class WebhookSecret(WebhookView):
    """The same with the secret, which is shown this once."""

    secret: str


class DeliveryView(BaseModel):
    """One message to one endpoint. `id` is its `webhook-id`."""

    id: str
    type: str
    state: DeliveryState
    attempts: int
    next_in_seconds: float | None
    attempted_at: datetime
    status: int | None
    error: str | None


@dataclass(frozen=True)
class WebhookRoutes:
    """The handlers, over the service's parts."""

    parts: Parts

    async def list_webhooks(self, who: Operator) -> Page[WebhookView]:
        """All endpoints of the productions that the key reaches."""
        async with self.parts.store.read() as connection:
            found = await endpoints.endpoints(connection)
        return Page(items=[_view(one) for one in found if _reaches(who, one.productions)], next=None)

    async def add_webhook(self, who: Operator, asked: WebhookRequest, response: Response) -> WebhookSecret:
        """Messages are signed by Standard Webhooks; the secret is shown this once."""
        await _check_url(self.parts, asked.url)
        endpoint = Endpoint(
            id=new_id(), url=asked.url, description=asked.description, events=tuple(asked.events),
            outcomes=tuple(asked.outcomes), productions=_productions(who, asked),
            secret=new_secret(), old_secret=None, old_secret_until=None, enabled=asked.enabled, disabled_because=None,
            created_by=who.person, created_at=self.parts.clock(),
        )  # fmt: skip
        async with self.parts.store.write() as connection:
            await endpoints.add(connection, endpoint)
        response.headers["Location"] = f"/v1/webhooks/{endpoint.id}"
        return WebhookSecret(**_view(endpoint).model_dump(), secret=endpoint.secret)

    async def read_webhook(self, who: Operator, webhook_id: str) -> WebhookView:
        """One endpoint."""
        async with self.parts.store.read() as connection:
            return _view(await _visible(connection, webhook_id, who))

    async def change_webhook(self, who: Operator, webhook_id: str, asked: WebhookChange) -> WebhookView:
        """Switches it on or off, or describes it anew."""
        values = asked.model_dump(exclude_none=True)
        if asked.enabled is not None:
            values["disabled_because"] = None if asked.enabled else f"switched off by {who.person}"
        async with self.parts.store.write() as connection:
            await _visible(connection, webhook_id, who)
            if values:
                await endpoints.change(connection, webhook_id, **values)
            found = await _visible(connection, webhook_id, who)
        self.parts.deliveries_queued.set()
        return _view(found)

    async def delete_webhook(self, who: Operator, webhook_id: str) -> None:
        """Forgets the endpoint and its messages."""
        async with self.parts.store.write() as connection:
            await _visible(connection, webhook_id, who)
            await deliveries.forget_endpoint(connection, webhook_id)

    async def rotate_webhook_secret(self, who: Operator, webhook_id: str) -> WebhookSecret:
        """A new secret. For some hours messages carry a signature of the old one as well."""
        now = self.parts.clock()
        until = now + timedelta(hours=self.parts.settings.secret_rotation_hours)
        async with self.parts.store.write() as connection:
            old = await _visible(connection, webhook_id, who)
            await endpoints.change(
                connection, webhook_id, secret=new_secret(), old_secret=old.secret, old_secret_until=until
            )
            found = await _visible(connection, webhook_id, who)
        return WebhookSecret(**_view(found).model_dump(), secret=found.secret)

    async def test_webhook(self, who: Operator, webhook_id: str) -> DeliveryView:
        """Sends a message that says hello; see its delivery."""
        async with self.parts.store.write() as connection:
            endpoint = await _visible(connection, webhook_id, who)
            if not endpoint.enabled:
                raise Problem(409, "webhook_disabled", "the endpoint is switched off; switch it on first")
            message = await deliveries.enqueue_test(connection, endpoint, now=self.parts.clock())
            found = await deliveries.delivery(connection, webhook_id, message)
        self.parts.deliveries_queued.set()
        assert found is not None
        return _delivery(found)

    async def list_deliveries(
        self, who: Operator, webhook_id: str, paging: Paging, state: DeliveryState | None = None
    ) -> Page[DeliveryView]:
        """Messages to this endpoint, newest first."""
        async with self.parts.store.read() as connection:
            await _visible(connection, webhook_id, who)
            found = await deliveries.newest(
                connection, webhook_id, state=state, before=paging.after, limit=paging.limit + 1
            )
        items, following = paging.page(found, lambda one: one.id)
        return Page(items=[_delivery(one) for one in items], next=following)

    async def redeliver(self, who: Operator, webhook_id: str, delivery_id: str) -> DeliveryView:
        """Sends it again, from the start of the schedule, under the same id."""
        async with self.parts.store.write() as connection:
            endpoint = await _visible(connection, webhook_id, who)
            found = await deliveries.delivery(connection, webhook_id, delivery_id)
            if found is None:
                raise not_found("delivery")
            if not endpoint.enabled:
                raise Problem(409, "webhook_disabled", "the endpoint is switched off; switch it on first")
            await deliveries.redeliver(connection, found, now=self.parts.clock())
            found = await deliveries.delivery(connection, webhook_id, delivery_id)
        self.parts.deliveries_queued.set()
        assert found is not None
        return _delivery(found)


def router(parts: Parts) -> APIRouter:
    """The routes."""
    routes, handle = APIRouter(prefix="/webhooks", tags=["webhooks"]), WebhookRoutes(parts)
    routes.get("")(handle.list_webhooks)
    routes.post("", status_code=201)(handle.add_webhook)
    routes.get("/{webhook_id}")(handle.read_webhook)
    routes.patch("/{webhook_id}")(handle.change_webhook)
    routes.delete("/{webhook_id}", status_code=204)(handle.delete_webhook)
    routes.post("/{webhook_id}/rotate")(handle.rotate_webhook_secret)
    later: dict[str, Any] = {"status_code": 202, "responses": answers(409)}
    routes.post("/{webhook_id}/test", **later)(handle.test_webhook)
    routes.get("/{webhook_id}/deliveries")(handle.list_deliveries)
    routes.post("/{webhook_id}/deliveries/{delivery_id}/redeliver", **later)(handle.redeliver)
    return routes


async def _check_url(parts: Parts, url: str) -> None:
    try:
        await check_url(url, allow_loopback=parts.settings.allow_loopback_webhooks)
    except RefusedAddress as error:
        raise invalid("url", "is no address to send to", str(error), code="refused_address") from error


def _productions(who: Principal, asked: WebhookRequest) -> tuple[str, ...]:
    visible = who.visible()
    if asked.productions is None:
        return (EVERY_PRODUCTION,) if visible is None else tuple(sorted(visible))
    for name in asked.productions:
        if not who.sees(name):
            raise invalid("productions", f"{name} is no production that this key reaches", "name its productions")
    return tuple(asked.productions)


def _reaches(who: Principal, productions: tuple[str, ...]) -> bool:
    return all(who.sees(production) for production in productions)


async def _visible(connection: AsyncConnection, webhook_id: str, who: Principal) -> Endpoint:
    found = await endpoints.endpoint(connection, webhook_id)
    if found is None or not _reaches(who, found.productions):
        raise not_found("webhook")
    return found


def _view(endpoint: Endpoint) -> WebhookView:
    return WebhookView.model_validate(endpoint, from_attributes=True)


def _delivery(found: Delivery) -> DeliveryView:
    fields = {name: getattr(found, name) for name in DeliveryView.model_fields if name != "next_in_seconds"}
    return DeliveryView(**fields, next_in_seconds=found.wait_seconds if found.state == "pending" else None)
