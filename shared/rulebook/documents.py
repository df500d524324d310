"""Documents that discharge rules: what they cover, from when, and who stands behind them. Pure.

A document covers a fired rule when it names the rule or its row, is in force, is backed by enough people who are not
the uploader, and every limit of its scope is met. What is not known meets no limit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import Field

from shared.frozen import Frozen
from shared.rulebook.tools import KnownTool
from shared.verdicts import DocumentKind


class DocumentScope(Frozen):
    """What a document covers. An empty list sets no limit; `production` always does."""

    production: str
    assets: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    talent: tuple[str, ...] = ()
    territory: tuple[str, ...] = ()


class Document(Frozen):
    """One entry of the registry. `pins` are digests of the facts it was given for; kept for assets named in scope."""

    id: str
    kind: DocumentKind
    rules: tuple[str, ...]
    scope: DocumentScope
    given_by: str
    recorded_by: str = Field(description="the person who entered it")
    confirmed_by: str | None = Field(None, description="the second person, where a rule asks for two")
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    revoked_at: datetime | None = None
    title: str = ""
    file_sha256: str | None = None
    pins: tuple[str, ...] = ()


class Dismissal(Frozen):
    """A reviewer's "this is not a match": one asset against one reference."""

    id: str
    asset_id: str
    reference_id: str


class Papers(Frozen):
    """What is on record for deciding one asset. `uploader` is the person, not the key; `tools`: those it names."""

    asset_id: str = ""
    uploader: str = ""
    documents: tuple[Document, ...] = ()
    dismissals: tuple[Dismissal, ...] = ()
    tools: tuple[KnownTool, ...] = ()


@dataclass(frozen=True)
class Claim:
    """One fired rule that asks for documents, with all that their scopes are held against. `stage`: its names."""

    rule: str
    row: str
    needs: tuple[tuple[DocumentKind, ...], ...]
    production: str
    pin: str
    use: str | None = None
    stage: tuple[str, ...] = ()
    talent: tuple[str, ...] = ()
    territories: tuple[str, ...] | None = None
    confirmed_by_two: bool = False
    very_file: bool = False


def discharged_by(claim: Claim, papers: Papers, now: datetime) -> tuple[str, ...]:
    """The documents that meet the first alternative which is met whole; empty when none is."""
    if not claim.needs or not papers.documents:
        return ()
    counting = [document for document in papers.documents if counts(document, claim, papers, now)]
    for alternative in claim.needs:
        found = [_best(kind, counting) for kind in alternative]
        if all(found):
            return tuple(dict.fromkeys(document.id for document in found if document is not None))
    return ()


def counts(document: Document, claim: Claim, papers: Papers, now: datetime) -> bool:
    """Whether the document covers this fired rule, now."""
    named = claim.rule in document.rules or claim.row in document.rules
    return named and in_force(document, now) and is_backed(document, claim, papers) and _covers(document, claim, papers)


def in_force(document: Document, now: datetime) -> bool:
    """Begun, not over, not revoked."""
    begun = document.valid_from is None or document.valid_from <= now
    over = document.valid_until is not None and document.valid_until <= now
    revoked = document.revoked_at is not None and document.revoked_at <= now
    return begun and not over and not revoked


def is_backed(document: Document, claim: Claim, papers: Papers) -> bool:
    """One person who is not the uploader stands behind it; two where the rule asks for a second."""
    people = {_person(document.recorded_by), _person(document.confirmed_by or "")} - {"", _person(papers.uploader)}
    given_by_uploader = bool(papers.uploader) and _person(document.given_by) == _person(papers.uploader)
    return not given_by_uploader and len(people) >= (2 if claim.confirmed_by_two else 1)


def _covers(document: Document, claim: Claim, papers: Papers) -> bool:
    scope = document.scope
    return (
        scope.production == claim.production
        and _covers_asset(document, claim, papers)
        and (not scope.uses or claim.use in scope.uses)
        and (not scope.stages or not set(claim.stage).isdisjoint(scope.stages))
        and (not scope.talent or _all_in(claim.talent, scope.talent))
        and (not scope.territory or _all_in(claim.territories or (), scope.territory))
    )


def _covers_asset(document: Document, claim: Claim, papers: Papers) -> bool:
    """A document made for assets holds only while the facts behind the rule are the ones it was given for."""
    if not document.scope.assets:
        return not claim.very_file
    return papers.asset_id in document.scope.assets and claim.pin in document.pins


def _all_in(wanted: Sequence[str], covered: Iterable[str]) -> bool:
    names = {_person(name) for name in covered}
    return bool(wanted) and all(_person(name) in names for name in wanted)


def _person(name: str) -> str:
    return name.strip().casefold()


def _best(kind: DocumentKind, documents: Sequence[Document]) -> Document | None:
    """The document of that kind which lasts longest, so that a verdict leans on few dates."""
    of_kind = [document for document in documents if document.kind == kind]
    endless = [document for document in of_kind if document.valid_until is None]
    if endless:
        return min(endless, key=lambda document: document.id)
    return max(of_kind, key=lambda document: (document.valid_until, document.id), default=None)
