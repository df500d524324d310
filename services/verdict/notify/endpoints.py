"""Webhook endpoints: who wants to hear of what, and how its messages are signed (Standard Webhooks)."""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection
from standardwebhooks import Webhook

from services.verdict.tables import webhooks
from shared.events import EscalationClosed, Event, VerdictEscalated, VerdictReached
from shared.principal import EVERY_PRODUCTION

NOTIFIED: tuple[type[VerdictReached | VerdictEscalated | EscalationClosed], ...] = (
    VerdictReached,
    VerdictEscalated,
    EscalationClosed,
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One subscriber. While a secret is rotated, messages carry a signature of each."""

    id: str
    url: str
    description: str
    events: tuple[str, ...]
    outcomes: tuple[str, ...]
    productions: tuple[str, ...]
    secret: str
    old_secret: str | None
    old_secret_until: datetime | None
    enabled: bool
    disabled_because: str | None
    created_by: str
    created_at: datetime

    def wants(self, event: Event, at: datetime) -> bool:
        """Whether the event, told at `at`, is for this endpoint."""
        if not isinstance(event, NOTIFIED) or at < self.created_at or not self.hears(event.TYPE, event.production):
            return False
        return isinstance(event, EscalationClosed) or not self.outcomes or event.verdict.outcome in self.outcomes

    def hears(self, type_: str, production: str) -> bool:
        """Whether it asked for messages of this type, of this production."""
        reaches = EVERY_PRODUCTION in self.productions or production in self.productions
        return type_ in self.events and reaches

    def secrets_at(self, now: datetime) -> tuple[str, ...]:
        """The secrets to sign with, the newest first."""
        rotating = self.old_secret is not None and self.old_secret_until is not None and now < self.old_secret_until
        return (self.secret, self.old_secret) if rotating and self.old_secret else (self.secret,)


def signed_headers(endpoint: Endpoint, message_id: str, body: str, now: datetime) -> dict[str, str]:
    """The headers of one attempt. `now` must be UTC: the signer ignores zones."""
    signatures = [Webhook(secret).sign(message_id, now, body) for secret in endpoint.secrets_at(now)]
    return {
        "content-type": "application/json",
        "user-agent": "clearframe",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def new_secret() -> str:
    """256 random bits, as Standard Webhooks writes them."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


async def add(connection: AsyncConnection, endpoint: Endpoint) -> None:
    """Records a new endpoint."""
    row = {name: getattr(endpoint, name) for name in Endpoint.__slots__}
    await connection.execute(webhooks.insert().values(row))


async def endpoints(connection: AsyncConnection, *, enabled: bool | None = None) -> list[Endpoint]:
    """All, the oldest first; or only those switched on or off."""
    wanted = select(webhooks).order_by(webhooks.c.id)
    if enabled is not None:
        wanted = wanted.where(webhooks.c.enabled.is_(enabled))
    return [_endpoint(row) for row in await connection.execute(wanted)]


async def endpoint(connection: AsyncConnection, endpoint_id: str) -> Endpoint | None:
    """One."""
    row = (await connection.execute(select(webhooks).where(webhooks.c.id == endpoint_id))).one_or_none()
    return None if row is None else _endpoint(row)


async def change(connection: AsyncConnection, endpoint_id: str, **values: Any) -> None:
    """Sets columns of one endpoint."""
    await connection.execute(webhooks.update().where(webhooks.c.id == endpoint_id).values(**values))


def _endpoint(row: Row[Any]) -> Endpoint:
    values = dict(row._mapping)
    lists = {name: tuple(values[name]) for name in ("events", "outcomes", "productions")}
    return Endpoint(**(values | lists))
