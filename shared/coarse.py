"""What a key without `review` sees of a verdict: whether and where its upload matched, no scores to probe with."""

import re
from typing import Any

from shared.findings import ReferenceMatch
from shared.principal import Principal
from shared.verdicts import Verdict

HIDDEN = "a protected work"
_MATCH = ("kind", "extent", "purpose", "upload_region", "view")
_LIKENESS = ("kind", "performer", "upload_region")
_PERCENT = re.compile(r"\b\d{1,3}(?:\.\d+)?\s?%")
_HAS_SCORES = {"reference_match": _MATCH, "likeness": _LIKENESS}


def for_reader(verdict: Verdict, reader: Principal) -> dict[str, Any]:
    """The verdict as this key may see it."""
    return full(verdict) if reader.may("review") else coarse(verdict)


def full(verdict: Verdict) -> dict[str, Any]:
    """The whole verdict, as JSON."""
    data: dict[str, Any] = verdict.model_dump(mode="json", exclude_none=True)
    return data


def coarse(verdict: Verdict) -> dict[str, Any]:
    """The verdict as JSON without exact scores, distances and shares. Hidden works keep their names."""
    data = full(verdict)
    data["findings"] = [_finding(finding) for finding in data["findings"]]
    data["reasons"] = [_reason(reason) for reason in data["reasons"]]
    data["summary"] = _PERCENT.sub("some", data["summary"])
    data["to_do"] = [_PERCENT.sub("some", line) for line in data["to_do"]]
    return _without_texts(data, _secrets(verdict))


def _finding(finding: dict[str, Any]) -> dict[str, Any]:
    kept = _HAS_SCORES.get(finding["kind"])
    if kept is None:
        return finding
    shown = {name: finding[name] for name in kept if name in finding}
    if "reference" in finding:
        reference = finding["reference"]
        open_names = ("bank",) if reference["hidden"] else ("id", "bank", "title")
        shown["reference"] = {name: reference[name] for name in open_names if name in reference}
    return shown


def _reason(reason: dict[str, Any]) -> dict[str, Any]:
    """A rule's sentence may name the share that matched."""
    if not reason.get("findings"):
        return reason
    return reason | {"because": _PERCENT.sub("some", reason["because"])}


def _secrets(verdict: Verdict) -> list[str]:
    """Titles that may also stand in the verdict's sentences; the longest first, as one may hold another."""
    hidden = {
        text
        for finding in verdict.findings
        if isinstance(finding, ReferenceMatch) and finding.reference.hidden
        for text in (finding.reference.title, finding.reference.external_id, finding.reference.id)
        if text
    }
    return sorted(hidden, key=len, reverse=True)


def _without_texts(data: dict[str, Any], secrets: list[str]) -> dict[str, Any]:
    if not secrets:
        return data
    own = {"title", "filename", "id", "asset_id", "production"}  # the uploader's own words and our ids stay
    return {name: value if name in own else _replaced(value, secrets) for name, value in data.items()}


def _replaced(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, HIDDEN)
        return value
    if isinstance(value, dict):
        return {name: _replaced(item, secrets) for name, item in value.items()}
    return [_replaced(item, secrets) for item in value] if isinstance(value, list) else value
