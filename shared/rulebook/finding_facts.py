"""What screening observed, flattened into facts. A finding of an unknown kind reads as one that was not screened."""

from collections.abc import Sequence
from typing import Literal

from shared.findings import Finding, Likeness, NotMatched, Provenance, ReferenceMatch, Region, Unscreenable
from shared.rulebook.facts_model import FindingFacts

SAME_REGION = 0.8
"""Overlap (intersection over union of the bounding boxes) from which two matches count as the same region."""


def finding_facts(findings: Sequence[Finding]) -> tuple[FindingFacts, ...]:
    """The facts of each finding, in order."""
    allowed = [match for match in findings if isinstance(match, ReferenceMatch) and match.purpose == "allow"]
    return tuple(_facts(number, finding, allowed) for number, finding in enumerate(findings))


def _facts(number: int, finding: Finding, allowed: Sequence[ReferenceMatch]) -> FindingFacts:
    match finding:
        case ReferenceMatch():
            return _match(number, finding, allowed)
        case Provenance():
            return _mark(number, finding)
        case Likeness():
            return FindingFacts(number=number, kind="likeness", performer=finding.performer)
        case Unscreenable():
            return FindingFacts(number=number, kind="unscreenable", reason=finding.reason)
        case NotMatched():
            return FindingFacts(number=number, kind="not_matched", media=finding.media)
    kind: Literal["trailing_data", "unknown"] = "trailing_data" if finding.kind == "trailing_data" else "unknown"
    return FindingFacts(number=number, kind=kind, reason=finding.kind)


def _mark(number: int, mark: Provenance) -> FindingFacts:
    return FindingFacts(
        number=number,
        kind="provenance",
        source=mark.source,
        claim=mark.claim,
        generative="yes" if mark.generative else "no",
        trust=mark.trust,
    )


def _match(number: int, match: ReferenceMatch, allowed: Sequence[ReferenceMatch]) -> FindingFacts:
    by = [a for a in allowed if match.purpose == "protect" and _covers(a, match)]
    return FindingFacts(
        number=number,
        kind="reference_match",
        reference=match.reference.id,
        bank=match.reference.bank,
        purpose=match.purpose,
        extent=match.extent,
        share_of_upload=match.share_of_upload,
        coverage_of_reference=match.coverage_of_reference,
        allowed_by=tuple(sorted({f"{a.reference.bank}/{a.reference.id}" for a in by})),
    )


def _covers(allowed: ReferenceMatch, match: ReferenceMatch) -> bool:
    """Nearly the same region: a protected poster pasted into an owned still is not covered by the still."""
    return allowed.view == match.view and _overlap(allowed.upload_region, match.upload_region) >= SAME_REGION


def _overlap(one: Region, other: Region) -> float:
    a, b = _box(one), _box(other)
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    union = _area(a) + _area(b) - shared
    return shared / union if union > 0 else 0.0


Box = tuple[float, float, float, float]


def _box(region: Region) -> Box:
    xs, ys = [x for x, _ in region], [y for _, y in region]
    return min(xs), min(ys), max(xs), max(ys)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
