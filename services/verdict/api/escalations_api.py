"""`/v1/escalations`: the review queue."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.verdict import cases
from services.verdict.cases import CaseState, Escalation
from services.verdict.parts import Parts
from services.verdict.review import Ruling
from shared.principal import Principal
from shared.web.auth import check_sees, require
from shared.web.openapi import answers
from shared.web.paging import Page, Paging
from shared.web.problems import not_found

Reviewer = Annotated[Principal, Depends(require("review", "approve"))]


class EscalationView(BaseModel):
    """A case as shown."""

    id: str
    asset_id: str
    production: str
    verdict_id: str
    title: str | None
    summary: str
    state: CaseState
    opened_at: datetime
    due_at: datetime
    overdue: bool
    claimed_by: str | None
    decision: str | None
    closed_at: datetime | None


class NoteView(BaseModel):
    """What somebody did or said."""

    id: str
    person: str
    action: str
    text: str
    at: datetime


class EscalationDetail(EscalationView):
    """A case with its history."""

    notes: list[NoteView]


class CommentRequest(BaseModel):
    """Words about a case."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1, max_length=5000)


class RulingRequest(Ruling):
    """A reviewer's word on a case."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class EscalationRoutes:
    """The handlers, over the service's parts."""

    parts: Parts

    def _shown(self, case: Escalation) -> EscalationView:
        return EscalationView(**_fields(case, self.parts.clock()))

    async def list_escalations(
        self,
        who: Reviewer,
        paging: Paging,
        state: CaseState | None = None,
        production: Annotated[str | None, Query(max_length=200)] = None,
        asset_id: Annotated[str | None, Query(max_length=200)] = None,
    ) -> Page[EscalationView]:
        """Cases, newest first."""
        async with self.parts.store.read() as connection:
            found = await cases.cases(
                connection,
                productions=who.visible(),
                production=production,
                state=state,
                asset_id=asset_id,
                before=paging.after,
                limit=paging.limit + 1,
            )
        items, following = paging.page(found, lambda case: case.id)
        return Page(items=[self._shown(case) for case in items], next=following)

    async def read_escalation(self, who: Reviewer, escalation_id: str) -> EscalationDetail:
        """One case with its history."""
        async with self.parts.store.read() as connection:
            case = await cases.case(connection, escalation_id)
            if case is None:
                raise not_found("escalation")
            check_sees(who, case.production, "escalation")
            notes = await cases.notes(connection, escalation_id)
        history = [NoteView(id=n.id, person=n.person, action=n.action, text=n.text, at=n.at) for n in notes]
        return EscalationDetail(**_fields(case, self.parts.clock()), notes=history)

    async def claim_escalation(self, who: Reviewer, escalation_id: str) -> EscalationView:
        """Takes the case."""
        return self._shown(await self.parts.review.claim(escalation_id, who))

    async def release_escalation(self, who: Reviewer, escalation_id: str) -> EscalationView:
        """Gives the case back."""
        return self._shown(await self.parts.review.release(escalation_id, who))

    async def comment_escalation(self, who: Reviewer, escalation_id: str, comment: CommentRequest) -> EscalationView:
        """Says something about the case."""
        return self._shown(await self.parts.review.comment(escalation_id, who, comment.text))

    async def decide_escalation(self, who: Reviewer, escalation_id: str, ruling: RulingRequest) -> EscalationView:
        """Approves, rejects, asks for changes, or dismisses a match. What still escalates keeps the case open."""
        return self._shown(await self.parts.review.decide(escalation_id, who, ruling))


def router(parts: Parts) -> APIRouter:
    """The routes."""
    routes, handle = APIRouter(prefix="/escalations", tags=["escalations"]), EscalationRoutes(parts)
    routes.get("")(handle.list_escalations)
    routes.get("/{escalation_id}")(handle.read_escalation)
    routes.post("/{escalation_id}/claim", responses=answers(409))(handle.claim_escalation)
    routes.post("/{escalation_id}/release", responses=answers(409))(handle.release_escalation)
    routes.post("/{escalation_id}/comment")(handle.comment_escalation)
    routes.post("/{escalation_id}/decide", responses=answers(409))(handle.decide_escalation)
    return routes


def _fields(case: Escalation, now: datetime) -> dict[str, object]:
    values = {name: getattr(case, name) for name in Escalation.__slots__}
    return values | {"state": case.state, "overdue": case.closed_at is None and case.due_at < now}
