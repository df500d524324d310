"""What is in shadow: rulebooks, and single rules of the one in force. Each new verdict is decided with them as well;
that is recorded beside it, and changes nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict.decide import decide
from services.verdict.record import Inputs, rule_text
from services.verdict.rulebooks import Rulebooks
from services.verdict.tables import ledger, rulebooks, shadowing, shadows
from shared.rulebook.facts import facts
from shared.rulebook.model import Rulebook
from shared.store.columns import upsert
from shared.verdicts import RulebookVersion

MOST = 3


@dataclass(frozen=True)
class Differing:
    """One verdict beside which a shadow said something else."""

    verdict_id: str
    asset_id: str
    production: str
    outcome: str
    shadow_outcome: str
    rules: tuple[str, ...]
    shadow_rules: tuple[str, ...]


@dataclass(frozen=True)
class Beside:
    """What one shadow said beside a verdict."""

    rulebook: RulebookVersion
    outcome: str
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Compared:
    """`matrix` counts (outcome decided, outcome of the shadow). `since` is None once it no longer runs."""

    since: datetime | None
    matrix: Counter[tuple[str, str]]
    samples: tuple[Differing, ...]


async def running(connection: AsyncConnection, rulebooks: Rulebooks) -> list[Rulebook]:
    """Those that run in shadow now."""
    digests = (await connection.execute(select(shadowing.c.sha256).order_by(shadowing.c.sha256))).scalars().all()
    return [await rulebooks.pinned(connection, sha256) for sha256 in digests]


async def start(connection: AsyncConnection, sha256: str, *, person: str, reason: str, now: datetime) -> bool:
    """From the next batch on; again does nothing. False when as many run as may."""
    others = select(func.count()).select_from(shadowing).where(shadowing.c.sha256 != sha256)
    if (await connection.execute(others)).scalar_one() >= MOST:
        return False
    row = {"sha256": sha256, "person": person, "reason": reason, "since": now}
    await connection.execute(upsert(connection, shadowing).values(**row).on_conflict_do_nothing())
    return True


async def stop(connection: AsyncConnection, sha256: str) -> None:
    """What it said so far stays on record."""
    await connection.execute(delete(shadowing).where(shadowing.c.sha256 == sha256))


def said(
    books: Sequence[Rulebook], active: Rulebook, verdict_id: str, inputs: Inputs, *, now: datetime
) -> list[dict[str, Any]]:
    """What each makes of a verdict's inputs, and the one in force if its shadow rules counted, as rows. Pure."""
    others = [book for book in books if book.version != active.version]
    asked = [(book, False) for book in others] + ([(active, True)] if active.in_shadow else [])
    if not asked:
        return []
    screened, papers = inputs.screened, inputs.papers
    known = facts(screened.submitted.declaration, screened.findings, papers.tools)
    rows = []
    for book, with_shadow in asked:
        decision = decide(book, known, papers, now, with_shadow=with_shadow)
        rules = rule_text([reason.rule for reason in decision.reasons])
        about = {"sha256": book.version.sha256, "verdict_id": verdict_id}
        rows.append(about | {"outcome": decision.outcome.value, "rules": rules})
    return rows


async def beside(connection: AsyncConnection, verdict_id: str) -> list[Beside]:
    """What was said in shadow when this verdict was reached."""
    s, r = shadows.c, rulebooks.c
    wanted = select(r.id, r.version, r.sha256, s.outcome, s.rules).select_from(
        shadows.join(rulebooks, r.sha256 == s.sha256)
    )
    rows = await connection.execute(wanted.where(s.verdict_id == verdict_id).order_by(r.id, r.version))
    return [
        Beside(
            RulebookVersion(id=row.id, version=row.version, sha256=row.sha256), row.outcome, tuple(row.rules.split())
        )
        for row in rows
    ]


async def compared(
    connection: AsyncConnection, sha256: str, *, productions: frozenset[str] | None, most: int
) -> Compared:
    """What it said beside what was decided; the newest differences as samples."""
    s, v = shadows.c, ledger.c
    joined = shadows.join(ledger, v.id == s.verdict_id)
    mine: list[ColumnElement[bool]] = [s.sha256 == sha256]
    if productions is not None:
        mine.append(v.production.in_(sorted(productions)))
    counts = select(v.outcome, s.outcome, func.count()).select_from(joined).where(*mine).group_by(v.outcome, s.outcome)
    matrix = Counter({(decided, shadow): count for decided, shadow, count in await connection.execute(counts)})
    wanted = select(v.id, v.asset_id, v.production, v.outcome, s.outcome, v.rules, s.rules).select_from(joined)
    wanted = wanted.where(*mine, s.rules != v.rules).order_by(v.sequence.desc()).limit(most)
    samples = [
        Differing(*row[:5], rules=tuple(row[5].split()), shadow_rules=tuple(row[6].split()))
        for row in await connection.execute(wanted)
    ]
    since = await connection.execute(select(shadowing.c.since).where(shadowing.c.sha256 == sha256))
    return Compared(since.scalar_one_or_none(), matrix, tuple(samples))
