"""The review queue as it is kept: open and closed escalations and what was said about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict.tables import case_notes, escalations
from shared.ids import new_id
from shared.web.problems import Problem

CaseState = Literal["open", "claimed", "closed"]
Action = Literal["claim", "release", "comment", "approve", "reject", "needs_changes", "not_a_match"]


@dataclass(frozen=True, slots=True)
class Escalation:
    """One case. `verdict_id` is its newest verdict."""

    id: str
    asset_id: str
    production: str
    verdict_id: str
    title: str | None
    summary: str
    opened_at: datetime
    due_at: datetime
    claimed_by: str | None
    decision: str | None
    closed_at: datetime | None

    @property
    def state(self) -> CaseState:
        """Open until somebody claims it, until it ends."""
        if self.closed_at is not None:
            return "closed"
        return "open" if self.claimed_by is None else "claimed"

    def require_open(self) -> None:
        """Raises Problem when the case is over."""
        if self.closed_at is not None:
            raise Problem(409, "already_closed", f"the case was closed as {self.decision}")

    def require_free_for(self, person: str) -> None:
        """Raises Problem when it is over, or somebody else's."""
        self.require_open()
        if self.claimed_by not in (None, person):
            raise Problem(409, "claimed_by_other", f"{self.claimed_by} has claimed the case; ask for its release")


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody did or said."""

    id: str
    person: str
    action: Action
    text: str
    at: datetime


async def case(connection: AsyncConnection, case_id: str, *, to_change: bool = False) -> Escalation | None:
    """One case; `to_change` keeps others off it until the transaction ends."""
    wanted = select(escalations).where(escalations.c.id == case_id)
    row = (await connection.execute(wanted.with_for_update() if to_change else wanted)).one_or_none()
    return None if row is None else _escalation(row)


async def cases(
    connection: AsyncConnection,
    *,
    productions: frozenset[str] | None,
    production: str | None = None,
    state: CaseState | None = None,
    asset_id: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> Sequence[Escalation]:
    """Newest first."""
    c = escalations.c
    conditions: list[ColumnElement[bool]] = [] if productions is None else [c.production.in_(sorted(productions))]
    if production is not None:
        conditions.append(c.production == production)
    if asset_id is not None:
        conditions.append(c.asset_id == asset_id)
    if before is not None:
        conditions.append(c.id < before)
    if state == "closed":
        conditions.append(c.closed_at.is_not(None))
    elif state is not None:
        conditions += [c.closed_at.is_(None), c.claimed_by.is_(None) if state == "open" else c.claimed_by.is_not(None)]
    rows = await connection.execute(select(escalations).where(*conditions).order_by(c.id.desc()).limit(limit))
    return [_escalation(row) for row in rows]


async def open_count(connection: AsyncConnection) -> int:
    """How many cases wait for a person."""
    waiting = select(func.count()).select_from(escalations).where(escalations.c.closed_at.is_(None))
    return int((await connection.execute(waiting)).scalar_one())


async def notes(connection: AsyncConnection, case_id: str) -> Sequence[Note]:
    """All that was said and done, in order."""
    wanted = select(case_notes).where(case_notes.c.escalation_id == case_id).order_by(case_notes.c.id)
    return [Note(row.id, row.person, row.action, row.text, row.at) for row in await connection.execute(wanted)]


async def add_note(
    connection: AsyncConnection, case_id: str, person: str, action: Action, *, text: str, now: datetime
) -> str:
    """Adds to the case's history; the note's id."""
    row = {"id": new_id(), "escalation_id": case_id, "person": person, "action": action, "text": text, "at": now}
    await connection.execute(case_notes.insert().values(row))
    return str(row["id"])


async def set_case(connection: AsyncConnection, case_id: str, **values: Any) -> None:
    """Sets columns of a case."""
    await connection.execute(escalations.update().where(escalations.c.id == case_id).values(**values))


def _escalation(row: Row[Any]) -> Escalation:
    return Escalation(**row._mapping)
