"""The registry of documents: what discharges rules, for how long, and who stands behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict.tables import documents, reconsiderations
from shared.ids import new_id
from shared.rulebook.documents import Document
from shared.verdicts import Cause


@dataclass(frozen=True, slots=True)
class Registered:
    """A document with its history."""

    document: Document
    added_at: datetime
    confirmed_at: datetime | None
    revocation: str | None

    def state(self, now: datetime) -> str:
        """Whether it counts now, as far as dates and revocation go."""
        document = self.document
        if document.revoked_at is not None:
            return "revoked"
        if document.valid_until is not None and document.valid_until <= now:
            return "expired"
        return "pending" if document.valid_from is not None and document.valid_from > now else "in_force"


async def add(connection: AsyncConnection, document: Document, *, now: datetime, acted_on: bool = False) -> None:
    """Records a document. Unless `acted_on`, whatever it could discharge is decided again."""
    later = document.valid_from is not None and document.valid_from > now
    assets = document.scope.assets
    row = {
        "id": document.id,
        "production": document.scope.production,
        "kind": document.kind,
        "asset_id": assets[0] if len(assets) == 1 else None,
        "content": _content(document),
        "added_at": now,
        "begins_at": document.valid_from if later else None,
        "ends_at": document.valid_until,
    }
    await connection.execute(documents.insert().values(row))
    if not later and not acted_on:
        await reconsider(connection, document.id, "document_added")


async def find(connection: AsyncConnection, document_id: str) -> Registered | None:
    """One document."""
    row = (await connection.execute(select(documents).where(documents.c.id == document_id))).one_or_none()
    return None if row is None else _registered(row)


async def listed(
    connection: AsyncConnection,
    *,
    productions: frozenset[str] | None,
    production: str | None = None,
    kind: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> Sequence[Registered]:
    """Newest first."""
    c = documents.c
    conditions: list[ColumnElement[bool]] = [] if productions is None else [c.production.in_(sorted(productions))]
    if production is not None:
        conditions.append(c.production == production)
    if kind is not None:
        conditions.append(c.kind == kind)
    if before is not None:
        conditions.append(c.id < before)
    rows = await connection.execute(select(documents).where(*conditions).order_by(c.id.desc()).limit(limit))
    return [_registered(row) for row in rows]


async def confirm(connection: AsyncConnection, document: Document, person: str, now: datetime) -> None:
    """The second person's word."""
    content = _content(document.model_copy(update={"confirmed_by": person}))
    await _set(connection, document.id, content=content, confirmed_at=now)
    await reconsider(connection, document.id, "document_confirmed")


async def revoke(connection: AsyncConnection, document: Document, person: str, reason: str, *, now: datetime) -> None:
    """Ends it; what leaned on it is decided again."""
    content = _content(document.model_copy(update={"revoked_at": now}))
    await _set(connection, document.id, content=content, revocation=f"{person}: {reason}", begins_at=None, ends_at=None)
    await reconsider(connection, document.id, "document_revoked")


async def is_due(connection: AsyncConnection, now: datetime) -> bool:
    """Whether some validity began or ended that was not acted on."""
    c = documents.c
    passed = select(c.id).where(or_(c.begins_at <= now, c.ends_at <= now)).limit(1)
    return (await connection.execute(passed)).first() is not None


async def turn_of_time(connection: AsyncConnection, now: datetime) -> int:
    """Documents whose validity began or ended since the last look are acted on once; their number."""
    c = documents.c
    moved = 0
    for column, cause in ((c.begins_at, "document_added"), (c.ends_at, "document_expired")):
        due = [row.id for row in await connection.execute(select(c.id).where(column <= now).limit(100))]
        for document_id in due:
            await reconsider(connection, document_id, cause)
            await _set(connection, document_id, **{column.name: None})
        moved += len(due)
    return moved


async def reconsider(connection: AsyncConnection, document_id: str, cause: Cause | str) -> None:
    """Asks for every verdict that the document could touch to be decided again."""
    row = {"id": new_id(), "cause": cause, "cause_id": document_id, "document_id": document_id, "cursor": ""}
    await connection.execute(reconsiderations.insert().values(row))


async def _set(connection: AsyncConnection, document_id: str, **values: Any) -> None:
    await connection.execute(documents.update().where(documents.c.id == document_id).values(**values))


def _content(document: Document) -> dict[str, Any]:
    return document.model_dump(mode="json", exclude_none=True)


def _registered(row: Row[Any]) -> Registered:
    return Registered(Document.model_validate(row.content), row.added_at, row.confirmed_at, row.revocation)
