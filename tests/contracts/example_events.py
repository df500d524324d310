"""One of each event, with everything filled in: the source of the golden files."""

from datetime import UTC, datetime

from shared.declaration.model import Declaration
from shared.events import (
    AssetScreened,
    AssetSubmitted,
    BankChanged,
    BankSettings,
    EscalationClosed,
    Event,
    Fingerprints,
    ReferenceDetails,
    ReferenceRefused,
    ReferenceRegistered,
    ReferenceSubmitted,
    ReferenceWithdrawn,
    RescanRequested,
    Uploader,
    VerdictEscalated,
    VerdictReached,
)
from shared.findings import NotMatched, Provenance, ReferenceMatch, ReferenceRef, TrailingData, Unscreenable
from shared.verdicts import Outcome, Reason, RulebookVersion, ScreeningVersions, Verdict, Versions

AT = datetime(2026, 10, 1, 12, 30, tzinfo=UTC)
ASSET = "01999f3a-0000-7000-8000-000000000001"
REFERENCE = "01999f3a-0000-7000-8000-000000000002"
VERDICT = "01999f3a-0000-7000-8000-000000000003"
OTHER = "01999f3a-0000-7000-8000-000000000004"
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

_PRINTS = Fingerprints(
    sha256=DIGEST, pdq="f0" * 32, pdq_quality=98, phash="ab" * 8, pipeline="pdq.1.example+phash.1.example"
)
_DETAILS = ReferenceDetails(
    title="Harbour at Dusk",
    owner="Estate of A. Painter",
    bank="protected",
    label="artwork",
    external_id="HD-1",
    valid_from=AT,
)
_MATCH = ReferenceMatch(
    reference=ReferenceRef(id=REFERENCE, bank="protected", title="Harbour at Dusk", external_id="HD-1"),
    detector="pdq",
    score=0.9,
    distance=6,
    transform="mirrored",
    extent="part",
    share_of_upload=0.31,
    coverage_of_reference=0.88,
    upload_region=((0.1, 0.2), (0.5, 0.2), (0.5, 0.9), (0.1, 0.9)),
)
_FINDINGS = (
    _MATCH,
    Provenance(source="c2pa", claim="trainedAlgorithmicMedia", trust="untrusted"),
    Unscreenable(reason="resource_limit", detail="decoding took more than 5 s"),
    NotMatched(media="audio"),
    TrailingData(bytes=4096, looks_like="zip"),
)
_SUBMITTED = AssetSubmitted(
    asset_id=ASSET,
    production="atlas",
    number=1,
    cause="submitted",
    cause_id=ASSET,
    sha256=DIGEST,
    bytes=123_456,
    media_type="image/jpeg",
    filename="plate-12.jpg",
    declaration=Declaration.model_validate(
        {"production": "atlas", "title": "Harbour at dusk, plate 12", "genai_used": "yes"}
    ),
    uploader=Uploader(key_id=OTHER, person="vfx-house"),
    submitted_at=AT,
)
_VERSIONS = ScreeningVersions(engine="whole-1", index="42", decoder="pdq.1.example+phash.1.example")
_VERDICT = Verdict(
    id=VERDICT,
    asset_id=ASSET,
    production="atlas",
    revision=1,
    cause="submitted",
    cause_id=ASSET,
    outcome=Outcome.ESCALATE,
    summary="Holds a protected work.",
    reasons=(
        Reason(
            rule="S-MATCH-WHOLE",
            outcome=Outcome.ESCALATE,
            because="holds Harbour at Dusk",
            serves="creative_rights",
            needs=(("rights_clearance",), ("written_approval", "legal_review")),
            findings=(0,),
        ),
        Reason(
            rule="P3", outcome=Outcome.CAUTION, because="tool not known", stage="2: upscale", discharged_by=(OTHER,)
        ),
    ),
    findings=_FINDINGS,
    to_do=("Ask the estate for a rights clearance.",),
    versions=Versions(
        **_VERSIONS.model_dump(), rulebook=RulebookVersion(id="studio-genai", version="1.0.0", sha256=DIGEST)
    ),
    content_sha256=DIGEST,
    title="Harbour at dusk, plate 12",
    filename="plate-12.jpg",
    decided_at=AT,
    sequence=1042,
    previous_hash="00" * 32,
    hash="11" * 32,
)

EXAMPLES: tuple[Event, ...] = (
    _SUBMITTED,
    AssetScreened(
        asset_id=ASSET,
        production="atlas",
        number=1,
        cause="submitted",
        cause_id=ASSET,
        submitted=_SUBMITTED,
        findings=_FINDINGS,
        fingerprints=_PRINTS,
        versions=_VERSIONS,
        screened_at=AT,
    ),
    VerdictReached(asset_id=ASSET, production="atlas", verdict=_VERDICT),
    VerdictEscalated(asset_id=ASSET, production="atlas", escalation_id=OTHER, due_at=AT, verdict=_VERDICT),
    EscalationClosed(
        asset_id=ASSET, production="atlas", escalation_id=OTHER, decision="approve", verdict_id=VERDICT, closed_at=AT
    ),
    ReferenceSubmitted(
        reference_id=REFERENCE,
        number=1,
        details=_DETAILS,
        sha256=DIGEST,
        bytes=99,
        media_type="image/png",
        submitted_at=AT,
    ),
    ReferenceRegistered(
        reference_id=REFERENCE,
        number=1,
        details=_DETAILS,
        fingerprints=_PRINTS,
        features_sha256=DIGEST,
        registered_at=AT,
    ),
    ReferenceRefused(
        reference_id=REFERENCE, number=1, details=_DETAILS, reason="too_poor", detail="detail 3 of 100", refused_at=AT
    ),
    ReferenceWithdrawn(reference_id=REFERENCE, number=2, details=_DETAILS, withdrawn_at=AT),
    BankChanged(bank="protected", settings=BankSettings(paused_until=AT), changed_at=AT),
    RescanRequested(
        asset_id=ASSET, production="atlas", rescan_id=OTHER, anew=("references", "rulebook"), requested_at=AT
    ),
)
