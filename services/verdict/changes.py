"""What a batch changes, collected while it is decided and written with one statement a table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import and_, bindparam, delete
from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict import ledger
from services.verdict.keepable import kept_text
from services.verdict.record import Entry, Head
from services.verdict.state import Case, Held, Occasion
from services.verdict.tables import assets, escalations, handled, leaning, rescan_items, shadows
from shared.events import Event
from shared.rulebook.model import Rulebook
from shared.store.columns import upsert
from shared.verdicts import Verdict

Result = Literal["revised", "unchanged", "stale"]


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of one occasion. `before` is the outcome that stood, `after` the one that stands now."""

    occasion: Occasion
    result: Result
    before: str | None
    after: str
    verdict_id: str


@dataclass(frozen=True, slots=True)
class Closing:
    """A case that came to its end."""

    case: Case
    decision: str
    verdict: Verdict


@dataclass
class Changes:
    """Of one transaction, over the ledger's locked head."""

    head: Head
    now: datetime
    in_shadow: Sequence[Rulebook] = ()
    settled: list[Settled] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    held: dict[str, Held] = field(default_factory=dict)
    opened: dict[str, Case] = field(default_factory=dict)
    touched: dict[str, Verdict] = field(default_factory=dict)
    closed: dict[str, Closing] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    shadowed: list[dict[str, Any]] = field(default_factory=list)

    def add_entry(self, entry: Entry, verdict: Verdict) -> None:
        """A new revision at the end of the chain."""
        self.entries.append(entry)
        self.verdicts.append(verdict)
        self.head = Head(entry.sequence, entry.hash)


async def write(connection: AsyncConnection, changes: Changes) -> None:
    """Everything but the outbox; the transaction is the caller's."""
    await ledger.append(connection, changes.entries)
    await _write_assets(connection, changes)
    await _write_handled(connection, changes.settled)
    await _write_cases(connection, changes)
    await _write_leaning(connection, changes.verdicts)
    await _write_rescans(connection, changes.settled)
    if changes.shadowed:
        await connection.execute(shadows.insert(), changes.shadowed)


async def _write_assets(connection: AsyncConnection, changes: Changes) -> None:
    rows = [_asset_row(asset_id, held) for asset_id, held in changes.held.items()]
    if not rows:
        return
    statement = upsert(connection, assets)
    columns = {name: statement.excluded[name] for name in rows[0] if name not in ("asset_id", "submitted_at")}
    await connection.execute(statement.on_conflict_do_update(index_elements=["asset_id"], set_=columns), rows)


def _asset_row(asset_id: str, held: Held) -> dict[str, Any]:
    screened = held.screened
    return {
        "asset_id": asset_id,
        "production": screened.production,
        "number": screened.number,
        "screened": screened.model_dump_json(exclude_none=True),
        "submitted_at": screened.submitted.submitted_at,
        "revision": held.revision,
        "verdict_id": held.verdict_id,
        "outcome": held.outcome,
        "rules": held.rules,
        "basis": held.basis,
    }


async def _write_handled(connection: AsyncConnection, settled: Iterable[Settled]) -> None:
    rows = [
        {
            "asset_id": s.occasion.asset_id,
            "cause": s.occasion.cause,
            "cause_id": s.occasion.cause_id,
            "result": s.result,
        }
        for s in settled
    ]
    if rows:
        await connection.execute(handled.insert(), rows)


async def _write_cases(connection: AsyncConnection, changes: Changes) -> None:
    """Closings first: an asset may end one case and open the next within a batch."""
    by_id = escalations.update().where(escalations.c.id == bindparam("case"))
    ended = [
        {"case": c.case.id, "ended_as": c.decision, "newest": c.verdict.id}
        for c in changes.closed.values()
        if c.case.id not in changes.opened
    ]
    if ended:
        values: dict[str, Any] = {
            "closed_at": changes.now,
            "decision": bindparam("ended_as"),
            "verdict_id": bindparam("newest"),
        }
        await connection.execute(by_id.values(**values), ended)
    touched = [
        {"case": case_id, "newest": verdict.id, "words": kept_text(verdict.summary)}
        for case_id, verdict in changes.touched.items()
        if case_id not in changes.opened
    ]
    if touched:
        values = {"verdict_id": bindparam("newest"), "summary": bindparam("words")}
        await connection.execute(by_id.values(**values), touched)
    opened = [_case_row(case, changes) for case in changes.opened.values()]
    if opened:
        await connection.execute(escalations.insert(), opened)


def _case_row(case: Case, changes: Changes) -> dict[str, Any]:
    verdict, closing = changes.touched[case.id], changes.closed.get(case.id)
    return {
        "id": case.id,
        "asset_id": case.asset_id,
        "production": case.production,
        "verdict_id": closing.verdict.id if closing else verdict.id,
        "title": kept_text(verdict.title or verdict.filename or ""),
        "summary": kept_text(verdict.summary),
        "opened_at": changes.now,
        "due_at": case.due_at,
        "decision": closing.decision if closing else None,
        "closed_at": changes.now if closing else None,
    }


async def _write_leaning(connection: AsyncConnection, verdicts: Iterable[Verdict]) -> None:
    """Which documents the standing verdicts lean on; of several revisions in one batch the last one counts."""
    standing = {verdict.asset_id: verdict for verdict in verdicts}
    if not standing:
        return
    await connection.execute(delete(leaning).where(leaning.c.asset_id.in_(standing)))
    rows = [
        {"document_id": document, "asset_id": verdict.asset_id}
        for verdict in standing.values()
        for document in sorted({name for reason in verdict.reasons for name in reason.discharged_by})
        if "/" not in document  # `bank/reference`: an allow bank, no document
    ]
    if rows:
        await connection.execute(leaning.insert(), rows)


async def _write_rescans(connection: AsyncConnection, settled: Iterable[Settled]) -> None:
    rows = [
        {
            "rescan": s.occasion.cause_id,
            "asset": s.occasion.asset_id,
            "became": "changed" if s.result == "revised" else s.result,
            "outcome": s.after,
            "verdict": s.verdict_id,
        }
        for s in settled
        if s.occasion.cause == "rescanned"
    ]
    if not rows:
        return
    c = rescan_items.c
    waiting = and_(c.rescan_id == bindparam("rescan"), c.asset_id == bindparam("asset"), c.state == "waiting")
    statement = rescan_items.update().where(waiting)
    values: dict[str, Any] = {
        "state": bindparam("became"),
        "after": bindparam("outcome"),
        "verdict_id": bindparam("verdict"),
    }
    await connection.execute(statement.values(**values), rows)
