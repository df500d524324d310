"""`Idempotency-Key`: the same request twice makes one thing and gets one answer; another request gets a 409."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.tables import remembered
from shared.store.columns import upsert
from shared.web.problems import Problem, invalid

LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Request:
    """What makes two requests the same: who, where, under which key, with which content."""

    key_id: str
    route: str
    idempotency_key: str
    content: str


def request_of(key_id: str, route: str, idempotency_key: str | None, *content: str) -> Request | None:
    """None without a key. Raises a 422 `Problem` for one that cannot be kept."""
    check_key(idempotency_key)
    if idempotency_key is None:
        return None
    digest = sha256("\0".join(content).encode()).hexdigest()
    return Request(key_id, route, idempotency_key, digest)


def check_key(idempotency_key: str | None) -> None:
    """Raises a 422 `Problem` for a key that cannot be kept. To be called before anything else is."""
    if idempotency_key is None:
        return
    if not 0 < len(idempotency_key) <= LONGEST_KEY or not idempotency_key.isprintable():
        remedy = f"use 1 to {LONGEST_KEY} printable characters, a UUID for instance"
        raise invalid("Idempotency-Key", "is empty, too long or unprintable", remedy)


async def claim(connection: AsyncConnection, request: Request, made: str, now: datetime, lasts: timedelta) -> str:
    """`made` when the request is new; else what the first one made. Raises a 409 `Problem` for another content.

    The row commits with the thing itself: a request in flight is either not there yet, or the database waits for it.
    """
    mine = {"content": request.content, "made": made, "at": now}
    identity = {"key_id": request.key_id, "route": request.route, "idempotency_key": request.idempotency_key}
    statement = (
        upsert(connection, remembered)
        .values(**identity, **mine)
        .on_conflict_do_update(index_elements=list(identity), set_=mine, where=remembered.c.at < now - lasts)
        .returning(remembered.c.made)
    )
    if (await connection.execute(statement)).first() is not None:
        return made
    row = (await connection.execute(select(remembered).filter_by(**identity))).one()
    if row.content != request.content:
        raise Problem(
            409,
            "idempotency_key_reused",
            "this Idempotency-Key came with another content before; use a new one",
        )
    first: str = row.made
    return first


async def forget(connection: AsyncConnection, before: datetime) -> None:
    """Removes what is too old to matter."""
    await connection.execute(remembered.delete().where(remembered.c.at < before))
