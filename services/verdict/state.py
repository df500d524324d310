"""What is held of a batch's assets: read with a handful of statements, kept current while the batch is decided."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict.tables import assets, dismissals, documents, escalations, handled
from shared.events import AssetScreened
from shared.rulebook.documents import Dismissal, Document, Papers
from shared.rulebook.facts import facts
from shared.rulebook.facts_model import Facts
from shared.rulebook.tools import Tools
from shared.verdicts import Cause


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why an asset is decided, now. Without `screened`, from what is held of it. `closes_as`: how a case ends by it."""

    asset_id: str
    cause: Cause
    cause_id: str
    screened: AssetScreened | None = None
    closes_as: str = "superseded"

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it happen once, however often it is told."""
        return self.asset_id, self.cause, self.cause_id


@dataclass(frozen=True, slots=True)
class Held:
    """The newest screening of an asset, and the verdict that stands."""

    screened: AssetScreened
    revision: int
    verdict_id: str
    outcome: str
    rules: str
    basis: str

    def facts(self, tools: Tools) -> Facts:
        """What the rules look at."""
        declaration = self.screened.submitted.declaration
        return facts(declaration, self.screened.findings, tools.named_in(declaration))


@dataclass(frozen=True, slots=True)
class Case:
    """An open escalation."""

    id: str
    asset_id: str
    production: str
    due_at: datetime


@dataclass
class State:
    """The held assets, open cases and papers that a batch needs."""

    tools: Tools
    held: dict[str, Held] = field(default_factory=dict)
    handled: set[tuple[str, str, str]] = field(default_factory=set)
    cases: dict[str, Case] = field(default_factory=dict)
    documents: dict[str, list[Document]] = field(default_factory=lambda: defaultdict(list))
    dismissals: dict[str, list[Dismissal]] = field(default_factory=lambda: defaultdict(list))

    def papers(self, screened: AssetScreened) -> Papers:
        """What is on record for this asset: its production's documents and its dismissals."""
        of_production = self.documents[screened.production]
        touching = [d for d in of_production if not d.scope.assets or screened.asset_id in d.scope.assets]
        return Papers(
            asset_id=screened.asset_id,
            uploader=screened.submitted.uploader.person,
            documents=tuple(touching),
            dismissals=tuple(self.dismissals[screened.asset_id]),
            tools=self.tools.named_in(screened.submitted.declaration),
        )


async def load_state(connection: AsyncConnection, occasions: Sequence[Occasion], tools: Tools) -> State:
    """Reads what the occasions touch. The caller holds the ledger's head, so nobody changes it meanwhile."""
    ids = sorted({occasion.asset_id for occasion in occasions})
    state = State(tools, await held_assets(connection, ids))
    await _load_handled(connection, state, ids, occasions)
    await _load_cases(connection, state, ids)
    productions = {held.screened.production for held in state.held.values()}
    productions |= {occasion.screened.production for occasion in occasions if occasion.screened}
    await _load_papers(connection, state, ids, sorted(productions))
    return state


async def held_assets(connection: AsyncConnection, ids: Iterable[str]) -> dict[str, Held]:
    """Those of the assets that have a verdict."""
    rows = await connection.execute(select(assets).where(assets.c.asset_id.in_(list(ids))))
    return {row.asset_id: _held(row) for row in rows}


async def _load_handled(
    connection: AsyncConnection, state: State, ids: Sequence[str], occasions: Sequence[Occasion]
) -> None:
    c = handled.c
    keys = sorted({occasion.key for occasion in occasions})
    rows = await connection.execute(
        select(c.asset_id, c.cause, c.cause_id).where(
            c.asset_id.in_(ids), tuple_(c.asset_id, c.cause, c.cause_id).in_(keys)
        )
    )
    state.handled.update((row.asset_id, row.cause, row.cause_id) for row in rows)


async def _load_cases(connection: AsyncConnection, state: State, ids: Sequence[str]) -> None:
    wanted = select(escalations).where(escalations.c.asset_id.in_(ids), escalations.c.closed_at.is_(None))
    for row in await connection.execute(wanted):
        state.cases[row.asset_id] = Case(row.id, row.asset_id, row.production, row.due_at)


async def _load_papers(
    connection: AsyncConnection, state: State, ids: Sequence[str], productions: Sequence[str]
) -> None:
    c = documents.c
    touching = or_(c.asset_id.is_(None), c.asset_id.in_(ids))
    wanted = select(c.content).where(c.production.in_(productions), touching, c.revocation.is_(None)).order_by(c.id)
    for row in await connection.execute(wanted):
        document = Document.model_validate(row.content)
        state.documents[document.scope.production].append(document)
    for row in await connection.execute(select(dismissals).where(dismissals.c.asset_id.in_(ids))):
        state.dismissals[row.asset_id].append(
            Dismissal(id=row.id, asset_id=row.asset_id, reference_id=row.reference_id)
        )


def _held(row: Any) -> Held:
    screened = AssetScreened.model_validate_json(row.screened)
    return Held(screened, row.revision, row.verdict_id, row.outcome, row.rules, row.basis)
