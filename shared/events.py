"""Every event on the bus: the only contract between the services. Add optional fields; a breaking change is a `.v2`."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from shared.bus.port import TopicSpec
from shared.declaration.model import Declaration
from shared.findings import Finding, Region
from shared.frozen import Frozen
from shared.verdicts import Cause, ScreeningVersions, Verdict

Target = Literal["references", "rulebook", "engine"]
"""What a rescan takes anew."""


class Event(Frozen):
    """The data of one event. Its class says where it travels."""

    TYPE: ClassVar[str]
    TOPIC: ClassVar[str]

    @property
    def key(self) -> str:
        """The partition key: what must stay in order travels under one key."""
        raise NotImplementedError


class AssetEvent(Event):
    """About one asset, in order with all else about it."""

    asset_id: str
    production: str

    @property
    def key(self) -> str:
        """The asset."""
        return self.asset_id


class Uploader(Frozen):
    """Who handed an asset in. Two keys of one person count as one person."""

    key_id: str
    person: str


class AssetSubmitted(AssetEvent):
    """An upload, or its amended declaration, is durable and waits for screening."""

    TYPE: ClassVar[str] = "clearframe.asset.submitted.v1"
    TOPIC: ClassVar[str] = "assets.submitted"

    number: int = Field(ge=1, description="1 for the upload, one more for each amended declaration")
    cause: Cause = "submitted"
    cause_id: str
    sha256: str
    bytes: int = Field(ge=0)
    media_type: str
    filename: str
    declaration: Declaration
    uploader: Uploader
    submitted_at: datetime


class Fingerprints(Frozen):
    """What was computed once from the pixels. Hashes are lower-case hex; absent where there is no picture."""

    sha256: str
    pdq: str | None = None
    pdq_quality: int | None = None
    phash: str | None = None
    pipeline: str | None = Field(None, description="which code made the hashes")


class AssetScreened(AssetEvent):
    """The findings of one screening, whole: no reader needs an earlier event."""

    TYPE: ClassVar[str] = "clearframe.asset.screened.v1"
    TOPIC: ClassVar[str] = "assets.screened"

    number: int = Field(ge=1, description="counts the screenings of this asset; a lower one than held is stale")
    cause: Cause
    cause_id: str
    submitted: AssetSubmitted
    findings: tuple[Finding, ...]
    fingerprints: Fingerprints
    versions: ScreeningVersions
    screened_at: datetime


class VerdictReached(AssetEvent):
    """A new revision. Complete: a dashboard needs nothing else."""

    TYPE: ClassVar[str] = "clearframe.verdict.reached.v1"
    TOPIC: ClassVar[str] = "verdicts"

    verdict: Verdict


class VerdictEscalated(AssetEvent):
    """A case was opened: somebody must decide."""

    TYPE: ClassVar[str] = "clearframe.verdict.escalated.v1"
    TOPIC: ClassVar[str] = "escalations"

    escalation_id: str
    due_at: datetime
    verdict: Verdict


class EscalationClosed(AssetEvent):
    """A case came to its end: decided by a person, or no longer needed after a later revision."""

    TYPE: ClassVar[str] = "clearframe.escalation.closed.v1"
    TOPIC: ClassVar[str] = "escalations"

    escalation_id: str
    decision: str
    verdict_id: str
    closed_at: datetime


class ReferenceEvent(Event):
    """About one protected work."""

    reference_id: str

    @property
    def key(self) -> str:
        """The reference."""
        return self.reference_id


class CommonElement(Frozen):
    """A region of a work that many works share, as a distributor's banner; None is all of it. It does not alarm."""

    region: Region | None = None
    note: str = ""
    marked_by: str
    marked_at: datetime


class ReferenceDetails(Frozen):
    """What is known of a protected work besides its pixels."""

    title: str
    owner: str | None = None
    bank: str
    label: str | None = None
    external_id: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    common: tuple[CommonElement, ...] | None = None


class ReferenceSubmitted(ReferenceEvent):
    """A reference's bytes are durable and wait to be fingerprinted."""

    TYPE: ClassVar[str] = "clearframe.reference.submitted.v1"
    TOPIC: ClassVar[str] = "references.submitted"

    number: int = Field(1, ge=1, description="counts the changes of this reference")
    details: ReferenceDetails
    sha256: str
    bytes: int = Field(ge=0)
    media_type: str
    withdrawn: bool = False
    submitted_at: datetime


class ReferenceRegistered(ReferenceEvent):
    """Every worker searches for it from now on. Hashes inline, local features as a blob."""

    TYPE: ClassVar[str] = "clearframe.reference.registered.v1"
    TOPIC: ClassVar[str] = "references"

    number: int = Field(ge=1)
    details: ReferenceDetails
    fingerprints: Fingerprints
    features_sha256: str | None = None
    registered_at: datetime


class ReferenceRefused(ReferenceEvent):
    """Too poor to protect, or unreadable: it is searched for by nobody."""

    TYPE: ClassVar[str] = "clearframe.reference.refused.v1"
    TOPIC: ClassVar[str] = "references"

    number: int = Field(ge=1)
    details: ReferenceDetails
    reason: str
    detail: str
    refused_at: datetime


class ReferenceWithdrawn(ReferenceEvent):
    """No longer searched for. A record, not a null: an offline worker must not miss it."""

    TYPE: ClassVar[str] = "clearframe.reference.withdrawn.v1"
    TOPIC: ClassVar[str] = "references"

    number: int = Field(ge=1)
    details: ReferenceDetails
    withdrawn_at: datetime


class BankSettings(Frozen):
    """How the references of one bank are searched and read."""

    purpose: Literal["protect", "allow"] = "protect"
    enabled: bool = True
    paused_until: datetime | None = None
    max_distance: int = Field(31, ge=0, le=64, description="largest PDQ distance, in bits of 256, that is a match")
    whole_share: float = Field(0.30, ge=0, le=1, description="share of the upload from which a match counts as whole")
    part_coverage: float = Field(0.10, ge=0, le=1, description="share of the reference from which a match is a part")
    hide_titles: bool = False
    productions: tuple[str, ...] = Field((), description="for an allow bank: whom it was licensed to; empty: all")

    def is_for(self, production: str | None) -> bool:
        """Whether it counts for that production's uploads. What protects a work protects it from everybody."""
        return self.purpose == "protect" or not self.productions or production is None or production in self.productions


class BankChanged(Event):
    """New settings of a bank. They travel with the references, so that every worker changes at the same offset."""

    TYPE: ClassVar[str] = "clearframe.bank.changed.v1"
    TOPIC: ClassVar[str] = "references"

    bank: str
    settings: BankSettings
    changed_at: datetime

    @property
    def key(self) -> str:
        """The bank, apart from the references' keys."""
        return f"bank:{self.bank}"


class RescanRequested(AssetEvent):
    """Take this asset again: screen it (references, engine) or only decide it (rulebook)."""

    TYPE: ClassVar[str] = "clearframe.rescan.requested.v1"
    TOPIC: ClassVar[str] = "rescans"

    rescan_id: str
    anew: tuple[Target, ...]
    requested_at: datetime

    @property
    def screens(self) -> bool:
        """Whether the pixels or the references have to be looked at again."""
        return "references" in self.anew or "engine" in self.anew


EVENTS: tuple[type[Event], ...] = (
    AssetSubmitted,
    AssetScreened,
    VerdictReached,
    VerdictEscalated,
    EscalationClosed,
    ReferenceSubmitted,
    ReferenceRegistered,
    ReferenceRefused,
    ReferenceWithdrawn,
    BankChanged,
    RescanRequested,
)
BY_TYPE = {event.TYPE: event for event in EVENTS}

_WORK = ("assets.submitted", "assets.screened", "escalations", "references.submitted", "rescans")
TOPICS: tuple[TopicSpec, ...] = (
    *(TopicSpec(name) for name in _WORK),
    TopicSpec("verdicts", keep_for_ever=True),
    TopicSpec("references", partitions=1, compacted=True),
)
DEAD_TOPICS = tuple(TopicSpec(f"{topic.name}.dead", partitions=1, keep_for_ever=True) for topic in TOPICS)
