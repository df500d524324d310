"""Review: people claim cases, talk about them and decide. The uploader never lifts a rule off the own upload."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict import cases, ledger, registry
from services.verdict.announce import Announcing
from services.verdict.cases import Escalation
from services.verdict.changes import Settled
from services.verdict.record import verdict_of
from services.verdict.settle import Settling, closed_event
from services.verdict.state import Case, Held, Occasion, held_assets
from services.verdict.tables import dismissals
from shared.findings import ReferenceMatch
from shared.frozen import Frozen
from shared.ids import new_id
from shared.principal import Principal
from shared.rulebook.documents import Document, DocumentScope
from shared.rulebook.pins import pins_for
from shared.store.columns import upsert
from shared.store.engine import Store
from shared.verdicts import Verdict
from shared.web.auth import check_scope
from shared.web.problems import Problem, invalid, not_found
from shared.web.times import Time

ReviewDecision = Literal["approve", "reject", "needs_changes", "not_a_match"]


Names = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(max_length=250)]


class ApprovalScope(Frozen):
    """How far an approval reaches. Without any limit it is for the asset of the case alone."""

    model_config = ConfigDict(extra="forbid")
    assets: Names = ()
    uses: Names = ()
    stages: Names = ()
    talent: Names = ()
    territory: Names = ()
    valid_until: Time | None = None


class Ruling(Frozen):
    """A reviewer's word on a case."""

    decision: ReviewDecision
    reason: str = Field(min_length=1, max_length=5000)
    scope: ApprovalScope = ApprovalScope()
    reference: str | None = Field(None, description="for not_a_match: the reference that is not in the picture")


@dataclass(frozen=True)
class Review:
    """What reviewers can do."""

    store: Store
    settling: Settling
    clock: Callable[[], datetime]
    announcing: Announcing

    async def claim(self, case_id: str, who: Principal) -> Escalation:
        """Takes a case. Raises Problem when somebody else has it."""
        async with self.store.write() as connection:
            found = await _visible(connection, case_id, who)
            found.require_free_for(who.person)
            if found.claimed_by is None:
                await cases.set_case(connection, case_id, claimed_by=who.person)
                await cases.add_note(connection, case_id, who.person, "claim", text="", now=self.clock())
            return await _visible(connection, case_id, who)

    async def release(self, case_id: str, who: Principal) -> Escalation:
        """Gives a case back; an admin may give back another's."""
        async with self.store.write() as connection:
            found = await _visible(connection, case_id, who)
            if not who.may("admin"):
                found.require_free_for(who.person)
            found.require_open()
            if found.claimed_by is not None:
                await cases.set_case(connection, case_id, claimed_by=None)
                await cases.add_note(connection, case_id, who.person, "release", text="", now=self.clock())
            return await _visible(connection, case_id, who)

    async def comment(self, case_id: str, who: Principal, text: str) -> Escalation:
        """Says something about a case, open or closed."""
        async with self.store.write() as connection:
            found = await _visible(connection, case_id, who)
            await cases.add_note(connection, case_id, who.person, "comment", text=text, now=self.clock())
            return found

    async def decide(self, case_id: str, who: Principal, ruling: Ruling) -> Escalation:
        """Ends the case, or lifts from it what the ruling lifts; what still escalates keeps it open."""
        async with self.store.write() as connection:
            await ledger.lock_head(connection)
            found = await _visible(connection, case_id, who)
            found.require_free_for(who.person)
            held = (await held_assets(connection, [found.asset_id]))[found.asset_id]
            settled: list[Settled] = []
            if ruling.decision in ("reject", "needs_changes"):
                await self._close(connection, found, ruling, who)
            else:
                _require_other_person(held, who)
                note = await cases.add_note(
                    connection, case_id, who.person, ruling.decision, text=ruling.reason, now=self.clock()
                )
                await self._lift(connection, found, held, ruling, who)
                occasion = Occasion(found.asset_id, "reviewed", note, closes_as=ruling.decision)
                settled = await self.settling.settle(connection, [occasion])
            answer = await _visible(connection, case_id, who)
        self.announcing.announce(settled, self.clock())
        return answer

    async def _close(self, connection: AsyncConnection, found: Escalation, ruling: Ruling, who: Principal) -> None:
        now = self.clock()
        await cases.add_note(connection, found.id, who.person, ruling.decision, text=ruling.reason, now=now)
        await cases.set_case(connection, found.id, decision=ruling.decision, closed_at=now)
        case = Case(found.id, found.asset_id, found.production, found.due_at)
        event = closed_event(case, ruling.decision, found.verdict_id, now)
        await self.settling.outbox.add(connection, [event], now=now)

    async def _lift(
        self, connection: AsyncConnection, found: Escalation, held: Held, ruling: Ruling, who: Principal
    ) -> None:
        entry = await ledger.by_id(connection, held.verdict_id)
        assert entry is not None
        verdict = verdict_of(entry)
        if ruling.decision == "not_a_match":
            await self._dismiss(connection, verdict, ruling, who)
            return
        check_scope(who, "approve")
        rules = _approvable(verdict)
        pinned = pins_for(await self.settling.rulebooks.active(connection), held.facts(self.settling.tools), rules)
        document = approval(found, ruling, who.person, rules, pinned)
        await registry.add(connection, document, now=self.clock(), acted_on=True)

    async def _dismiss(self, connection: AsyncConnection, verdict: Verdict, ruling: Ruling, who: Principal) -> None:
        row = {
            "id": new_id(),
            "asset_id": verdict.asset_id,
            "reference_id": _dismissed_reference(verdict, ruling.reference),
            "person": who.person,
            "reason": ruling.reason,
            "at": self.clock(),
        }
        await connection.execute(upsert(connection, dismissals).values(**row).on_conflict_do_nothing())


def approval(case: Escalation, ruling: Ruling, person: str, rules: tuple[str, ...], pins: tuple[str, ...]) -> Document:
    """The written approval that a reviewer's word makes."""
    limits = ruling.scope.model_dump(exclude={"valid_until"})
    if not any(limits.values()):
        limits["assets"] = (case.asset_id,)
    return Document(
        id=new_id(),
        kind="written_approval",
        rules=rules,
        scope=DocumentScope(production=case.production, **limits),
        given_by=person,
        recorded_by=person,
        valid_until=ruling.scope.valid_until,
        title=ruling.reason[:200],
        pins=pins if limits["assets"] else (),
    )


async def _visible(connection: AsyncConnection, case_id: str, who: Principal) -> Escalation:
    found = await cases.case(connection, case_id, to_change=True)
    if found is None or not who.sees(found.production):
        raise not_found("escalation")
    return found


def _require_other_person(held: Held, who: Principal) -> None:
    if held.screened.submitted.uploader.person.strip().casefold() == who.person.strip().casefold():
        raise Problem(403, "own_upload", "an uploader never lifts a rule off the own upload; ask another reviewer")


def _approvable(verdict: Verdict) -> tuple[str, ...]:
    """The rules that count and that a written approval helps to lift."""
    rules = [
        reason.rule
        for reason in verdict.reasons
        if reason.counts and any("written_approval" in alternative for alternative in reason.needs)
    ]
    if not rules:
        raise Problem(409, "not_approvable", "no rule of this case is lifted by an approval; see its to_do")
    return tuple(dict.fromkeys(rules))


def _dismissed_reference(verdict: Verdict, named: str | None) -> str:
    matched = {finding.reference.id for finding in verdict.findings if isinstance(finding, ReferenceMatch)}
    if named is None and len(matched) == 1:
        return matched.pop()
    if named not in matched:
        listed = ", ".join(sorted(matched)) or "none was matched"
        raise invalid("reference", "is not among the matched ones", f"name one of: {listed}", code="unknown_reference")
    return str(named)
