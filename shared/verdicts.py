"""The verdict: the gravest outcome of the rules that fired, with all it rests on. Pure data."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from shared.findings import Finding
from shared.frozen import Frozen

Cause = Literal[
    "submitted",
    "declaration_amended",
    "reviewed",
    "document_added",
    "document_revoked",
    "document_expired",
    "document_confirmed",
    "reference_added",
    "reference_changed",
    "reference_withdrawn",
    "bank_changed",
    "rulebook_changed",
    "engine_changed",
    "rescanned",
]
DocumentKind = Literal["written_approval", "consent", "legal_review", "rights_clearance"]


class Outcome(StrEnum):
    """`clear` < `caution` < `escalate`. An outcome that this reader does not know is read as the gravest."""

    CLEAR = "clear"
    CAUTION = "caution"
    ESCALATE = "escalate"

    @classmethod
    def _missing_(cls, value: object) -> "Outcome":
        return cls.ESCALATE

    @property
    def gravity(self) -> int:
        """0 for clear, 1 for caution, 2 for escalate."""
        return list(Outcome).index(self)


def gravest(outcomes: "list[Outcome]") -> Outcome:
    """The worst of the outcomes; clear when there are none."""
    return max(outcomes, key=lambda outcome: outcome.gravity, default=Outcome.CLEAR)


class Reason(Frozen):
    """One rule that fired. `discharged_by` names the documents that lifted it; a discharged rule does not count."""

    rule: str
    outcome: Outcome
    because: str
    stage: str | None = None
    serves: str | None = None
    needs: tuple[tuple[DocumentKind, ...], ...] = ()
    discharged_by: tuple[str, ...] = ()
    findings: tuple[int, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether the rule still weighs on the outcome."""
        return not self.discharged_by


class RulebookVersion(Frozen):
    """Which rules decided: the version in words and the digest of its bytes."""

    id: str
    version: str
    sha256: str


class ScreeningVersions(Frozen):
    """What looked at the picture. `index` is the offset of the `references` topic that the search had reached."""

    engine: str
    index: str
    decoder: str


class Versions(ScreeningVersions):
    """All that a verdict depends on besides the bytes and the declaration."""

    rulebook: RulebookVersion


class Verdict(Frozen):
    """One immutable revision. `sequence` and the hashes place it in the ledger's chain."""

    id: str
    asset_id: str
    production: str
    revision: int = Field(ge=1)
    cause: Cause
    cause_id: str
    outcome: Outcome
    summary: str
    reasons: tuple[Reason, ...]
    findings: tuple[Finding, ...]
    to_do: tuple[str, ...] = ()
    versions: Versions
    content_sha256: str
    title: str | None = None
    filename: str | None = None
    decided_at: datetime
    sequence: int = Field(ge=1)
    previous_hash: str
    hash: str
