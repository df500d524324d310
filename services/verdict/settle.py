"""Brings assets to a verdict: the steps between an occasion to decide and what the ledger and the bus learn of it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict import changes as written
from services.verdict import shadows
from services.verdict.changes import Changes, Closing, Result, Settled
from services.verdict.decide import Decision, decide
from services.verdict.ledger import lock_head
from services.verdict.record import Draft, Inputs, basis, rule_text, seal, verdict_of
from services.verdict.rulebooks import Rulebooks
from services.verdict.state import Case, Held, Occasion, State, load_state
from shared.errors import Reject
from shared.events import AssetScreened, EscalationClosed, VerdictEscalated, VerdictReached
from shared.outbox import Outbox
from shared.rulebook.documents import Papers
from shared.rulebook.facts import facts
from shared.rulebook.model import Rulebook
from shared.rulebook.tools import Tools
from shared.verdicts import Outcome, Verdict, Versions

_LARGEST_VERDICT = 850_000  # bytes of JSON; an event of it still fits the bus


@dataclass(frozen=True)
class Settling:
    """Decides in the caller's transaction. Call `outbox.wake()` once that is durable."""

    rulebooks: Rulebooks
    tools: Tools
    outbox: Outbox
    due_after: timedelta
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    new_salt: Callable[[], str]

    async def settle(self, connection: AsyncConnection, occasions: Sequence[Occasion]) -> list[Settled]:
        """What came of each occasion that was not dealt with before."""
        head = await lock_head(connection)
        batch = Changes(head, self.clock(), await shadows.running(connection, self.rulebooks))
        state = await load_state(connection, occasions, self.tools)
        rulebook = await self.rulebooks.active(connection)
        for occasion in occasions:
            self._settle_one(occasion, state, rulebook, batch)
            await asyncio.sleep(0)  # requests are answered between two verdicts
        await written.write(connection, batch)
        await self.outbox.add(connection, batch.events, now=batch.now)
        return batch.settled

    def _settle_one(self, occasion: Occasion, state: State, rulebook: Rulebook, batch: Changes) -> None:
        held = state.held.get(occasion.asset_id)
        screened = occasion.screened or (held.screened if held else None)
        if screened is None or occasion.key in state.handled:
            return
        state.handled.add(occasion.key)
        if held is not None and screened.number < held.screened.number:
            _note(batch, occasion, "stale", held, held)
            return
        papers = state.papers(screened)
        decision = _decision(rulebook, screened, papers, batch.now)
        now_held = _held(screened, decision, held)
        if held is not None and held.basis == now_held.basis:
            now_held = replace(now_held, revision=held.revision, verdict_id=held.verdict_id)
            _note(batch, occasion, "unchanged", held, now_held)
        else:
            inputs = Inputs(screened, papers)
            verdict = self._append(batch, occasion, now_held, decision, inputs=inputs, rulebook=rulebook)
            now_held = replace(now_held, verdict_id=verdict.id)
            _note(batch, occasion, "revised", held, now_held)
            self._follow_case(batch, state, occasion, verdict)
        state.held[occasion.asset_id] = batch.held[occasion.asset_id] = now_held

    def _append(
        self,
        batch: Changes,
        occasion: Occasion,
        now_held: Held,
        decision: Decision,
        *,
        inputs: Inputs,
        rulebook: Rulebook,
    ) -> Verdict:
        screened = inputs.screened
        draft = Draft(
            id=self.new_id(),
            asset_id=screened.asset_id,
            production=screened.production,
            revision=now_held.revision,
            cause=occasion.cause,
            cause_id=occasion.cause_id,
            outcome=decision.outcome,
            summary=decision.summary,
            reasons=decision.reasons,
            findings=screened.findings,
            to_do=decision.to_do,
            versions=Versions(**dict(screened.versions), rulebook=rulebook.version),
            content_sha256=screened.submitted.sha256,
            decided_at=batch.now,
            inputs=inputs,
        )
        entry = seal(batch.head, draft, salt=self.new_salt())
        verdict = verdict_of(entry)
        _refuse_oversized(verdict, len(entry.personal or ""))
        batch.add_entry(entry, verdict)
        batch.shadowed += shadows.said(batch.in_shadow, rulebook, verdict.id, inputs, now=batch.now)
        batch.events.append(VerdictReached(asset_id=verdict.asset_id, production=verdict.production, verdict=verdict))
        return verdict

    def _follow_case(self, batch: Changes, state: State, occasion: Occasion, verdict: Verdict) -> None:
        """An escalation opens a case or moves the open one on; any other outcome ends it."""
        case = state.cases.get(verdict.asset_id)
        if verdict.outcome is not Outcome.ESCALATE:
            if case is not None:
                del state.cases[verdict.asset_id]
                batch.closed[case.id] = Closing(case, occasion.closes_as, verdict)
                batch.events.append(closed_event(case, occasion.closes_as, verdict.id, batch.now))
            return
        if case is None:
            case = Case(self.new_id(), verdict.asset_id, verdict.production, batch.now + self.due_after)
            state.cases[verdict.asset_id] = batch.opened[case.id] = case
            batch.events.append(_escalated(case, verdict))
        batch.touched[case.id] = verdict


def closed_event(case: Case, decision: str, verdict_id: str, now: datetime) -> EscalationClosed:
    """Tells that a case is over."""
    return EscalationClosed(
        asset_id=case.asset_id,
        production=case.production,
        escalation_id=case.id,
        decision=decision,
        verdict_id=verdict_id,
        closed_at=now,
    )


def _decision(rulebook: Rulebook, screened: AssetScreened, papers: Papers, now: datetime) -> Decision:
    return decide(rulebook, facts(screened.submitted.declaration, screened.findings, papers.tools), papers, now)


def _escalated(case: Case, verdict: Verdict) -> VerdictEscalated:
    return VerdictEscalated(
        asset_id=case.asset_id,
        production=case.production,
        escalation_id=case.id,
        due_at=case.due_at,
        verdict=verdict,
    )


def _held(screened: AssetScreened, decision: Decision, before: Held | None) -> Held:
    return Held(
        screened=screened,
        revision=before.revision + 1 if before else 1,
        verdict_id="",
        outcome=decision.outcome.value,
        rules=rule_text([reason.rule for reason in decision.reasons]),
        basis=basis(decision.outcome, decision.reasons, screened.findings),
    )


def _note(batch: Changes, occasion: Occasion, result: Result, before: Held | None, after: Held) -> None:
    batch.settled.append(Settled(occasion, result, before.outcome if before else None, after.outcome, after.verdict_id))


def _refuse_oversized(verdict: Verdict, characters: int) -> None:
    if characters < _LARGEST_VERDICT // 4:
        return
    length = len(verdict.model_dump_json(exclude_none=True).encode())
    if length > _LARGEST_VERDICT:
        raise Reject("verdict_too_large", f"{length:,} bytes for asset {verdict.asset_id}")
