"""What the routes of rulebooks take and answer."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.verdict.activations import Activation
from services.verdict.backtest import Tested
from services.verdict.shadows import Compared
from shared.rulebook.faults import RulebookFault
from shared.rulebook.model import Rulebook
from shared.verdicts import Outcome, RulebookVersion
from shared.web.times import Time

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.ya?ml$")]
Source = Annotated[str, Field(max_length=512 * 1024)]
Sources = Annotated[dict[FileName, Source], Field(min_length=1, max_length=50, description="texts by file name")]


class RulebookRequest(BaseModel):
    """A rulebook as texts."""

    model_config = ConfigDict(extra="forbid")
    sources: Sources


class ReasonRequest(BaseModel):
    """Why a rulebook is put in force or taken back."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=2000)


class BacktestScope(BaseModel):
    """Which recorded assets to decide again, and how many in this answer; go on with `after`."""

    model_config = ConfigDict(extra="forbid")
    production: str | None = Field(None, max_length=200)
    since: Time | None = Field(None, description="uploaded at or after")
    after: str = Field("", max_length=200, description="`next` of the answer before")
    limit: int = Field(1000, ge=1, le=5000)
    samples: int = Field(10, ge=0, le=100, description="of each move, at most")


class BacktestRequest(BacktestScope):
    """The same with a rulebook that need not be on record."""

    sources: Sources


class FaultView(BaseModel):
    """One fault of a rulebook, with its place and the remedy."""

    field: str
    message: str
    remedy: str


class ValidationView(BaseModel):
    """Whether a rulebook could be put on record. Warnings do not stop it."""

    valid: bool
    rulebook: RulebookVersion | None = None
    rules: int = 0
    in_shadow: list[str] = []
    faults: list[FaultView] = []
    warnings: list[FaultView] = []


class MoveView(BaseModel):
    """One asset that would be decided otherwise."""

    asset_id: str
    production: str
    title: str | None
    verdict_id: str
    before: Outcome
    after: Outcome
    gained: list[str] = Field(description="rules that would fire and did not")
    lost: list[str]


class BacktestView(BaseModel):
    """Counts by outcome that stands, then by outcome that would be. Nothing was stored."""

    rulebook: RulebookVersion
    decided: int
    matrix: dict[Outcome, dict[Outcome, int]]
    changed: int = Field(description="assets with another outcome or other rules")
    samples: list[MoveView]
    next: str | None


class DifferingView(BaseModel):
    """One verdict beside which the shadow said something else."""

    verdict_id: str
    asset_id: str
    production: str
    outcome: Outcome
    shadow_outcome: Outcome
    rules: list[str]
    shadow_rules: list[str]


class ShadowView(BaseModel):
    """Counts by outcome decided, then by the shadow's; the newest differences. `since`: null when it does not run.

    `rules`: its single rules in shadow; while it is in force, what it would say with them counted stands here.
    """

    since: datetime | None
    rules: list[str]
    decided: int
    matrix: dict[Outcome, dict[Outcome, int]]
    samples: list[DifferingView]


class ActivationView(BaseModel):
    """Who put which rulebook in force, and why."""

    id: str
    action: str
    rulebook: RulebookVersion
    previous: RulebookVersion | None
    sha256: str
    previous_sha256: str | None
    person: str
    reason: str
    at: datetime


def validation_view(rulebook: Rulebook) -> ValidationView:
    """Of a rulebook that could be read."""
    return ValidationView(
        valid=True,
        rulebook=rulebook.version,
        rules=len(rulebook.rules),
        in_shadow=list(rulebook.in_shadow),
        warnings=[_warning(one) for one in rulebook.warnings],
    )


def _warning(fault: RulebookFault) -> FaultView:
    return FaultView(field=fault.where, message=fault.message, remedy=fault.remedy)


def activation_view(one: Activation, versions: Mapping[str, RulebookVersion]) -> ActivationView:
    """As it goes over the wire. `versions` by digest."""
    previous = versions[one.previous_sha256] if one.previous_sha256 else None
    return ActivationView(**asdict(one), rulebook=versions[one.sha256], previous=previous)


def backtest_view(version: RulebookVersion, tested: Tested) -> BacktestView:
    """As it goes over the wire: every pair of outcomes, zeros included."""
    return BacktestView(
        rulebook=version,
        decided=tested.decided,
        matrix=_every_pair(tested.matrix),
        changed=tested.rules_changed,
        samples=[MoveView.model_validate(one, from_attributes=True) for one in tested.samples],
        next=tested.following,
    )


def shadow_view(rulebook: Rulebook, found: Compared) -> ShadowView:
    """As it goes over the wire."""
    return ShadowView(
        since=found.since,
        rules=list(rulebook.in_shadow),
        decided=found.matrix.total(),
        matrix=_every_pair(found.matrix),
        samples=[DifferingView.model_validate(one, from_attributes=True) for one in found.samples],
    )


def _every_pair(counts: Counter[tuple[str, str]]) -> dict[Outcome, dict[Outcome, int]]:
    return {one: {other: counts[one.value, other.value] for other in Outcome} for one in Outcome}
