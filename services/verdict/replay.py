"""Decides a recorded verdict again, from its record and its pinned rulebook, and compares."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict import ledger
from services.verdict.decide import Decision, decide
from services.verdict.record import inputs_of, verdict_of
from services.verdict.rulebooks import Rulebooks
from shared.rulebook.facts import facts
from shared.verdicts import Outcome, Verdict
from shared.web.problems import Problem


@dataclass(frozen=True)
class Replayed:
    """`differences` names what came out otherwise; empty when the verdict stands."""

    verdict: Verdict
    outcome: Outcome
    differences: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether it came out as recorded."""
        return not self.differences


async def replay(connection: AsyncConnection, rulebooks: Rulebooks, verdict_id: str) -> Replayed | None:
    """None when there is no such verdict. Raises Problem 409 when its inputs were purged."""
    entry = await ledger.by_id(connection, verdict_id)
    if entry is None:
        return None
    verdict, inputs = verdict_of(entry), inputs_of(entry)
    if inputs is None:
        raise Problem(409, "purged", "the personal text that the verdict rests on was removed")
    rulebook = await rulebooks.pinned(connection, verdict.versions.rulebook.sha256)
    screened, papers = inputs.screened, inputs.papers
    known = facts(screened.submitted.declaration, screened.findings, papers.tools)
    decision = decide(rulebook, known, papers, verdict.decided_at)
    return Replayed(verdict, decision.outcome, differences(verdict, decision))


def differences(verdict: Verdict, decision: Decision) -> tuple[str, ...]:
    """The fields of the verdict that the decision does not repeat. Pure."""
    names = ("outcome", "reasons", "to_do", "summary")
    return tuple(name for name in names if getattr(verdict, name) != getattr(decision, name))
