"""A verdict as the ledger keeps it: what the chain covers in clear, and personal text behind a salted hash. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from shared.events import AssetScreened
from shared.findings import Finding, ReferenceMatch
from shared.rulebook.documents import Papers
from shared.verdicts import Cause, Outcome, Reason, Verdict, Versions

GENESIS = "0" * 64
_OPEN_FINDING = {
    "kind", "reason", "source", "trust", "generative", "media", "bytes", "detector", "score", "distance", "transform",
    "extent", "purpose", "share_of_upload", "coverage_of_reference", "upload_region", "reference_region", "view",
}  # fmt: skip
_PURGED = "(removed)"


@dataclass(frozen=True)
class Inputs:
    """What a verdict was decided from, besides the pinned rulebook: enough to decide it again."""

    screened: AssetScreened
    papers: Papers


@dataclass(frozen=True)
class Draft:
    """A verdict that has no place in the chain yet."""

    id: str
    asset_id: str
    production: str
    revision: int
    cause: Cause
    cause_id: str
    outcome: Outcome
    summary: str
    reasons: tuple[Reason, ...]
    findings: tuple[Finding, ...]
    to_do: tuple[str, ...]
    versions: Versions
    content_sha256: str
    decided_at: datetime
    inputs: Inputs


@dataclass(frozen=True)
class Head:
    """The end of the chain."""

    sequence: int = 0
    hash: str = GENESIS


@dataclass(frozen=True)
class Entry:
    """One row of the ledger. `record` and `personal` are the very bytes that were hashed."""

    sequence: int
    id: str
    asset_id: str
    production: str
    revision: int
    outcome: str
    rules: str
    decided_at: datetime
    record: str
    personal: str | None
    salt: str | None
    personal_hash: str
    previous_hash: str
    hash: str


def canonical(data: Any) -> str:
    """JSON with sorted keys and no blanks: one text for one meaning."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(*texts: str) -> str:
    """SHA-256 over the texts, each on a line of its own."""
    return sha256("\n".join(texts).encode()).hexdigest()


def chain_hash(previous_hash: str, record: str, personal_hash: str) -> str:
    """What links an entry to the one before."""
    return digest(previous_hash, record, personal_hash)


def rule_text(rules: Sequence[str]) -> str:
    """Rule ids between blanks, to be found by ` id ` or, for the variants of a row, ` id/`."""
    return f" {' '.join(sorted(set(rules)))} "


def seal(head: Head, draft: Draft, *, salt: str) -> Entry:
    """The draft at its place in the chain."""
    sequence = head.sequence + 1
    record, personal = canonical(_record(draft, sequence)), canonical(_personal(draft))
    personal_hash = digest(salt, personal)
    return Entry(
        sequence, draft.id, draft.asset_id, draft.production, draft.revision, draft.outcome.value,
        rule_text([reason.rule for reason in draft.reasons]), draft.decided_at, record, personal, salt, personal_hash,
        head.hash, chain_hash(head.hash, record, personal_hash),
    )  # fmt: skip


def basis(outcome: Outcome, reasons: Sequence[Reason], findings: Sequence[Finding]) -> str:
    """A digest that is the same exactly when a new revision would say nothing new.

    Exact scores and outlines are left out: they move a little whenever the reference set grows.
    """
    said = [_identity(finding) for finding in findings]
    weighed = [_weighed(reason, said) for reason in reasons]
    return digest(canonical([outcome.value, weighed, sorted(said, key=canonical)]))


def _identity(finding: Finding) -> Any:
    if not isinstance(finding, ReferenceMatch):
        return _json(finding)
    return [finding.kind, finding.reference.id, finding.detector, finding.extent, finding.purpose, finding.view]


def _weighed(reason: Reason, findings: Sequence[Any]) -> Any:
    measured = {"because"} if reason.findings else set()  # its sentence states shares
    about = sorted((findings[number] for number in reason.findings), key=canonical)
    return [reason.model_dump(mode="json", exclude={"findings", *measured}), about]


def verdict_of(entry: Entry) -> Verdict:
    """The whole verdict; where personal text was purged, a placeholder says so."""
    record = json.loads(entry.record)
    personal = None if entry.personal is None else json.loads(entry.personal)
    texts = personal["reasons"] if personal else [{"because": _PURGED, "stage": None}] * len(record["reasons"])
    submitted = personal["inputs"]["screened"]["submitted"] if personal else {}
    return Verdict.model_validate(
        record
        | {
            "summary": personal["summary"] if personal else _PURGED,
            "to_do": personal["to_do"] if personal else [],
            "title": submitted.get("declaration", {}).get("title"),
            "filename": submitted.get("filename"),
            "reasons": [reason | text for reason, text in zip(record["reasons"], texts, strict=True)],
            "findings": personal["inputs"]["screened"]["findings"] if personal else record["findings"],
            "previous_hash": entry.previous_hash,
            "hash": entry.hash,
        }
    )


def inputs_of(entry: Entry) -> Inputs | None:
    """What the verdict was decided from; None once purged."""
    if entry.personal is None:
        return None
    inputs = json.loads(entry.personal)["inputs"]
    return Inputs(AssetScreened.model_validate(inputs["screened"]), Papers.model_validate(inputs["papers"]))


def _json(model: Any) -> Any:
    return model.model_dump(mode="json", exclude_none=True)


def _record(draft: Draft, sequence: int) -> dict[str, Any]:
    return {
        "sequence": sequence,
        "id": draft.id,
        "asset_id": draft.asset_id,
        "production": draft.production,
        "revision": draft.revision,
        "cause": draft.cause,
        "cause_id": draft.cause_id,
        "outcome": draft.outcome.value,
        "reasons": [_without(_json(reason), "because", "stage") for reason in draft.reasons],
        "findings": [_open_finding(finding) for finding in draft.findings],
        "versions": _json(draft.versions),
        "content_sha256": draft.content_sha256,
        "decided_at": draft.decided_at.isoformat(),
        "number": draft.inputs.screened.number,
    }


def _personal(draft: Draft) -> dict[str, Any]:
    return {
        "summary": draft.summary,
        "to_do": list(draft.to_do),
        "reasons": [{"because": reason.because, "stage": reason.stage} for reason in draft.reasons],
        "inputs": {"screened": _json(draft.inputs.screened), "papers": _json(draft.inputs.papers)},
    }


def _open_finding(finding: Finding) -> dict[str, Any]:
    """Codes and figures of a finding; texts that a file or a person brought along stay in the personal part."""
    data = _json(finding)
    kept = {name: value for name, value in data.items() if name in _OPEN_FINDING}
    if "reference" in data:
        kept["reference"] = {"id": data["reference"]["id"], "bank": data["reference"]["bank"]}
    for text in ("claim", "performer"):
        if text in data:
            kept[text] = _PURGED
    return kept


def _without(data: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in names}
