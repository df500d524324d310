"""Decides recorded facts again with another rulebook, a page at a time. Nothing is stored."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from services.verdict.decide import decide
from services.verdict.record import rule_text
from services.verdict.state import Held, Occasion, State, load_state
from services.verdict.tables import assets
from shared.rulebook.facts import facts
from shared.rulebook.model import Rulebook
from shared.rulebook.tools import Tools
from shared.store.engine import Store
from shared.verdicts import Outcome

_PAGE = 250


@dataclass(frozen=True)
class Asked:
    """Which assets, by id: those after `after`, `limit` at most. `visible`: of these productions; None is all."""

    visible: frozenset[str] | None = None
    production: str | None = None
    since: datetime | None = None
    after: str = ""
    limit: int = 1000
    samples: int = 10


@dataclass(frozen=True)
class Moved:
    """One asset that would be decided otherwise."""

    asset_id: str
    production: str
    title: str | None
    verdict_id: str
    before: str
    after: str
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True)
class Tested:
    """`matrix` counts (outcome that stands, outcome that would be). `following` is None when all are through."""

    decided: int
    matrix: Counter[tuple[str, str]]
    rules_changed: int
    samples: tuple[Moved, ...]
    following: str | None


async def backtest(store: Store, rulebook: Rulebook, tools: Tools, asked: Asked, now: datetime) -> Tested:
    """Some samples of each move are kept: memory is bounded by a page, whatever there is on record."""
    matrix: Counter[tuple[str, str]] = Counter()
    samples: list[Moved] = []
    after, left, changed = asked.after, asked.limit, 0
    while left > 0:
        state = await _load(store, tools, asked, after, min(left, _PAGE))
        moved = await asyncio.to_thread(_decide_all, rulebook, state, now)
        for one in moved:
            key = (one.before, one.after)
            kept = sum((sample.before, sample.after) == key for sample in samples)
            differs = bool(one.gained or one.lost or one.before != one.after)
            changed += differs
            if differs and kept < asked.samples:
                samples.append(one)
            matrix[key] += 1
        if len(moved) < min(left, _PAGE):
            return Tested(matrix.total(), matrix, changed, tuple(samples), None)
        after, left = moved[-1].asset_id, left - len(moved)
    return Tested(matrix.total(), matrix, changed, tuple(samples), after)


async def _load(store: Store, tools: Tools, asked: Asked, after: str, limit: int) -> State:
    c = assets.c
    wanted = select(c.asset_id).where(c.asset_id > after).order_by(c.asset_id).limit(limit)
    if asked.visible is not None:
        wanted = wanted.where(c.production.in_(sorted(asked.visible)))
    if asked.production is not None:
        wanted = wanted.where(c.production == asked.production)
    if asked.since is not None:
        wanted = wanted.where(c.submitted_at >= asked.since)
    async with store.read() as connection:
        ids = (await connection.execute(wanted)).scalars().all()
        return await load_state(connection, [Occasion(asset_id, "rulebook_changed", "") for asset_id in ids], tools)


def _decide_all(rulebook: Rulebook, state: State, now: datetime) -> Sequence[Moved]:
    return [_decide_one(rulebook, state, held, now) for _, held in sorted(state.held.items())]


def _decide_one(rulebook: Rulebook, state: State, held: Held, now: datetime) -> Moved:
    screened = held.screened
    papers = state.papers(screened)
    decision = decide(rulebook, facts(screened.submitted.declaration, screened.findings, papers.tools), papers, now)
    old, new = set(held.rules.split()), set(rule_text([reason.rule for reason in decision.reasons]).split())
    return Moved(
        asset_id=screened.asset_id,
        production=screened.production,
        title=screened.submitted.declaration.title or screened.submitted.filename,
        verdict_id=held.verdict_id,
        before=Outcome(held.outcome).value,
        after=decision.outcome.value,
        gained=tuple(sorted(new - old)),
        lost=tuple(sorted(old - new)),
    )
