"""From hits to matches: what the tables found of a picture, as far as the catalogue says that it is live."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from services.screening.catalogue import Catalogue, CatalogueDamaged
from services.screening.findings import SHIPPED_SCORE, best_first, is_live, match_of, partial_match_of
from services.screening.fingerprint.kinds import PDQ, PHASH
from services.screening.matching.corroborate import corroborate
from services.screening.matching.local import PartialHit
from services.screening.matching.whole import Hit, WholeIndex
from services.screening.seen import SeenPicture
from shared.events import BankSettings, ReferenceRegistered
from shared.findings import ReferenceMatch

Parts = list[tuple[PartialHit, str]]


@dataclass(frozen=True)
class Asked:
    """When, how surely, and for whose upload is searched; no production: a lookup."""

    now: datetime
    least_score: float = SHIPPED_SCORE
    production: str | None = None

    def concerns(self, record: ReferenceRegistered, bank: BankSettings) -> bool:
        """Whether a match of this reference is to be told."""
        return bank.is_for(self.production) and is_live(record, bank, self.now)


def matches(
    whole: WholeIndex, catalogue: Catalogue, seen: SeenPicture, parts: Parts, asked: Asked
) -> tuple[ReferenceMatch, ...]:
    """Of the whole picture and of its `parts` (hit, view), the surest first. Raises CatalogueDamaged."""
    of_whole = _of_whole(whole, catalogue, seen, asked)
    return best_first([*of_whole, *_of_parts(whole, catalogue, seen, parts, asked)], asked.least_score)


def _of_whole(whole: WholeIndex, catalogue: Catalogue, seen: SeenPicture, asked: Asked) -> Iterator[ReferenceMatch]:
    for hit, view in _hits(whole, catalogue, seen, asked.least_score):
        record, bank = _known(catalogue, hit.reference_id)
        if record is None:
            raise CatalogueDamaged(f"the catalogue does not know {hit.reference_id}, which the tables hold")
        near = hit.detector != "pdq" or hit.distance <= bank.max_distance or asked.least_score < SHIPPED_SCORE
        if near and asked.concerns(record, bank):
            yield match_of(hit, record, bank, view)


def _of_parts(
    whole: WholeIndex, catalogue: Catalogue, seen: SeenPicture, parts: Parts, asked: Asked
) -> Iterator[ReferenceMatch]:
    for hit, view in _corroborated(whole, seen, parts):
        record, bank = _known(catalogue, hit.reference_id)
        if record is not None and asked.concerns(record, bank):  # else withdrawn while we searched
            yield partial_match_of(hit, record, bank, view)


def _corroborated(whole: WholeIndex, seen: SeenPicture, parts: Parts) -> Iterator[tuple[PartialHit, str]]:
    """A few features and a hash that is a little too far say together what neither says alone."""
    for view in seen.views:
        hits = [hit for hit, name in parts if name == view.name]
        distances = whole.pdq_distances(view.pdq_variants(), [hit.reference_id for hit in hits])
        yield from ((hit, view.name) for hit in corroborate(hits, distances))


def _known(catalogue: Catalogue, reference_id: str) -> tuple[ReferenceRegistered | None, BankSettings]:
    record = catalogue.find(reference_id)
    return record, catalogue.bank(record.details.bank)[0] if record else BankSettings()


def _hits(whole: WholeIndex, catalogue: Catalogue, seen: SeenPicture, least_score: float) -> Iterator[tuple[Hit, str]]:
    reach = 2 * (1 - least_score)
    if seen.sha256:
        for reference_id in catalogue.of_bytes(bytes.fromhex(seen.sha256)):
            yield Hit(reference_id, "sha256", 0), "picture"
    for view in seen.views:
        for hit in whole.search_pdq(view.pdq_variants(), view.pdq_quality, radius=round(PDQ.radius * reach)):
            yield hit, view.name
        if view.phash is not None and view.pdq_quality >= PDQ.least_quality:
            for hit in whole.search_phash(PHASH.parse(view.phash), radius=round(PHASH.radius * reach)):
                yield hit, view.name
