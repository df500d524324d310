"""From what was seen to what is reported: pure, so that the same inputs give the same findings on every worker."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from services.screening.fingerprint.kinds import KINDS
from services.screening.matching.local import PartialHit
from services.screening.matching.whole import Hit
from services.screening.seen import SeenPicture
from shared.events import BankSettings, CommonElement, ReferenceRegistered
from shared.findings import (
    WHOLE_PICTURE,
    Extent,
    Finding,
    NotMatched,
    ReferenceMatch,
    ReferenceRef,
    Region,
    Unscreenable,
)
from shared.media import MediaKind, contradicts_name, media_named

SHIPPED_SCORE = 0.5
"""The score of a match that is just near enough."""
_COMMON_SHARE = 0.8
_STEPS = 20  # points along each side of a part that are looked at
_NOTHING_READ = ("integrity_error", "resource_limit")


def is_live(record: ReferenceRegistered, bank: BankSettings, now: datetime) -> bool:
    """Whether a reference is searched for at this time: its own dates, and its bank's switch and pause."""
    if not bank.enabled or (bank.paused_until is not None and now < bank.paused_until):
        return False
    details = record.details
    begun = details.valid_from is None or details.valid_from <= now
    return begun and (details.valid_until is None or now < details.valid_until)


def score_of(hit: Hit) -> float:
    """1 for equality, 0.5 at the shipped threshold, on the same scale for every detector."""
    if hit.detector == "sha256":
        return 1.0
    return max(0.0, round(1 - hit.distance / (2 * KINDS[hit.detector].radius), 4))


def is_common(part: Region, marks: Sequence[CommonElement]) -> bool:
    """Whether at least four fifths of this part of a reference were marked as common; boxes stand for regions."""
    if any(mark.region is None for mark in marks):
        return True
    boxes = [_box(mark.region) for mark in marks if mark.region is not None]
    left, top, right, bottom = _box(part)
    steps = [(number + 0.5) / _STEPS for number in range(_STEPS)]
    points = [(left + x * (right - left), top + y * (bottom - top)) for x in steps for y in steps]
    inside = sum(any(x0 <= x <= x1 and y0 <= y <= y1 for x0, y0, x1, y1 in boxes) for x, y in points)
    return inside >= _COMMON_SHARE * len(points)


def _box(region: Region) -> tuple[float, float, float, float]:
    across, down = zip(*region, strict=True)
    return min(across), min(down), max(across), max(down)


def extent_of(share: float, coverage: float, bank: BankSettings) -> Extent:
    """The class of a partial match by the bank's thresholds."""
    if share >= bank.whole_share:
        return "whole"
    return "part" if coverage >= bank.part_coverage else "element"


def match_of(hit: Hit, record: ReferenceRegistered, bank: BankSettings, view: str) -> ReferenceMatch:
    """The finding for one hit of a whole-picture detector."""
    return ReferenceMatch(
        reference=_reference(record, bank),
        detector=hit.detector,
        score=score_of(hit),
        distance=hit.distance,
        transform=hit.transform,
        extent="common" if is_common(WHOLE_PICTURE, record.details.common or ()) else "whole",
        purpose=bank.purpose,
        view=view,
    )


def partial_match_of(hit: PartialHit, record: ReferenceRegistered, bank: BankSettings, view: str) -> ReferenceMatch:
    """The finding for a part of a reference that was found by its local features."""
    share, coverage = min(hit.share_of_upload, 1.0), min(hit.coverage_of_reference, 1.0)
    return ReferenceMatch(
        reference=_reference(record, bank),
        detector="local",
        score=round(hit.score, 4),
        transform=hit.transform,
        extent="common"
        if is_common(hit.reference_region, record.details.common or ())
        else extent_of(share, coverage, bank),
        purpose=bank.purpose,
        share_of_upload=round(share, 4),
        coverage_of_reference=round(coverage, 4),
        upload_region=hit.upload_region,
        reference_region=hit.reference_region,
        view=view,
    )


def _reference(record: ReferenceRegistered, bank: BankSettings) -> ReferenceRef:
    details = record.details
    return ReferenceRef(
        id=record.reference_id,
        bank=details.bank,
        title=details.title,
        external_id=details.external_id,
        hidden=bank.hide_titles,
    )


def best_first(matches: Iterable[ReferenceMatch], least_score: float) -> tuple[ReferenceMatch, ...]:
    """One match a reference, the surest first; ties fall by id, so that the order is the same everywhere.

    A whole-picture hash within its threshold says more than the features that agree with it.
    """
    best: dict[str, ReferenceMatch] = {}
    for match in matches:
        held = best.get(match.reference.id)
        if match.score >= least_score and (held is None or _precedence(match) < _precedence(held)):
            best[match.reference.id] = match
    return tuple(sorted(best.values(), key=_rank))


def _precedence(match: ReferenceMatch) -> tuple[object, ...]:
    return (match.detector == "local" or match.score < SHIPPED_SCORE, *_rank(match))


def _rank(match: ReferenceMatch) -> tuple[float, str, str, str]:
    return (-match.score, match.reference.id, match.detector, match.transform)


def findings_of(seen: SeenPicture, filename: str, matches: tuple[ReferenceMatch, ...]) -> tuple[Finding, ...]:
    """Everything to report of one upload: what could not be screened first, then the matches, the marks, the rest."""
    trailing = (seen.trailing,) if seen.trailing else ()
    return (*_unscreenable(seen, filename), *matches, *seen.marks, *trailing)


def _unscreenable(seen: SeenPicture, filename: str) -> Iterator[Finding]:
    media = media_named(seen.format)
    if seen.format == "unknown" and seen.unscreenable is not None and seen.unscreenable.reason in _NOTHING_READ:
        yield seen.unscreenable  # so nothing can be said of the name
        return
    if contradicts_name(media, filename):
        yield Unscreenable(reason="name_mismatch", detail=f"{media.media_type} under the name {filename!r}")
    if media.kind in (MediaKind.AUDIO, MediaKind.VIDEO, MediaKind.DOCUMENT):
        yield NotMatched(media=media.kind.value)
    elif seen.unscreenable is not None:
        yield seen.unscreenable
