"""Content credentials (C2PA): every manifest of the store, without network, trust kept apart from what is claimed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import c2pa

from services.screening.provenance.generators import generator_of
from services.screening.provenance.marks import Mark, Trust, gave_up
from services.screening.provenance.source_types import generative_uris, source_type
from services.screening.provenance.texts import Text
from services.screening.provenance.trust_anchors import shipped_anchors
from shared.headers import Buffer
from shared.media import media_named

LARGEST_STORE = 8 << 20
LARGEST_FILE = 100 << 20
_SOUGHT = 16 << 20
_NODES = 20_000
_NO_CLAIM = "content credential"
_ELSEWHERE = Mark("c2pa", _NO_CLAIM, "unresolved", generative=False, detail="the manifest is kept elsewhere")
_OFFLINE = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {"allowed_network_hosts": []},
}
_STATES: Mapping[str, Trust] = {"Trusted": "trusted", "Valid": "untrusted"}


@cache
def context(anchors: str) -> c2pa.Context:
    """Settings for reading: nothing is fetched; `anchors` are the PEM certificates that are trusted."""
    trust = {"trust": {"trust_anchors": anchors}} if anchors else {}
    return c2pa.Context.from_dict(_OFFLINE | trust)


def credential_marks(
    data: Buffer, format_name: str, size: int, anchors: str | None = None, *, linked: bool = False
) -> Iterator[Mark]:
    """What the credentials of a file claim. `size` is the store's; over the limits it is not opened.

    `linked`: the file's XMP names an address at which its manifest is kept.
    """
    if size > LARGEST_STORE or len(data) > LARGEST_FILE:
        yield gave_up("c2pa", "a content credential that is too large to be checked")
        return
    try:
        report = _report(data, format_name, shipped_anchors() if anchors is None else anchors)
    except c2pa.C2paError.ManifestNotFound:
        yield from [_ELSEWHERE] if linked else []
        return
    except (c2pa.C2paError, ValueError, RecursionError) as error:
        yield from _refused(str(error), data)
        return
    yield from marks_of(report)


def marks_of(report: Mapping[str, Any]) -> Iterator[Mark]:
    """The marks of a manifest store's report: a claim in any manifest counts."""
    state = _STATES.get(str(report.get("validation_state")), "tampered")
    problem = _problem(report) if state == "tampered" else ""
    active = report.get("active_manifest")
    for label, manifest in (report.get("manifests") or {}).items():
        trust = state if state != "trusted" or label == active else "untrusted"
        detail = problem or _signed_by(manifest)
        claims = dict(_claims(manifest))
        yield from (Mark("c2pa", claim, trust, generative, detail) for claim, generative in claims.items())
        if not claims:
            yield Mark("c2pa", _NO_CLAIM, trust, generative=False, detail=detail)
    if not report.get("manifests"):
        yield Mark("c2pa", _NO_CLAIM, "tampered", generative=False, detail=problem or "no manifest can be read")


def _report(data: Buffer, format_name: str, anchors: str) -> dict[str, Any]:
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    stream.seek(0)
    with c2pa.Reader(media_named(format_name).media_type, stream, context=context(anchors)) as reader:
        found: dict[str, Any] = json.loads(reader.json())
    return found


def _refused(message: str, data: Buffer) -> Iterator[Mark]:
    """A manifest elsewhere is not fetched; any other error means that what is here is broken."""
    if message.startswith("Remote"):
        yield _ELSEWHERE
    elif message.startswith("NotSupported"):
        yield gave_up("c2pa", message)
    else:
        start = bytes(data[:_SOUGHT])
        claims = [source_type(uri)[0] for uri in generative_uris() if uri.encode() in start]
        yield from (Mark("c2pa", claim, "tampered", generative=True, detail=message) for claim in claims)
        if not claims:
            yield Mark("c2pa", _NO_CLAIM, "tampered", generative=False, detail=message)


def _claims(manifest: Any) -> Iterator[tuple[str, bool]]:
    for key, value in _strings(manifest.get("assertions") if isinstance(manifest, dict) else None):
        if key.endswith("digitalsourcetype"):
            yield source_type(value)
        elif key.endswith(("softwareagent", "softwareagent.name")):
            agent = generator_of(Text("agent", value))
            if agent is not None:
                yield agent, True


def _strings(tree: Any) -> Iterator[tuple[str, str]]:
    """(lower-case key, text) of all texts in a JSON tree; a text in an object bears both keys. Bounded."""
    waiting: list[tuple[str, Any]] = [("", tree)]
    for _ in range(_NODES):
        if not waiting:
            return
        key, value = waiting.pop()
        if isinstance(value, str):
            yield key, value
        elif isinstance(value, list):
            waiting.extend((key, item) for item in reversed(value))
        elif isinstance(value, dict):
            parent = key.rpartition(".")[2]
            waiting.extend((f"{parent}.{str(name).lower()}", item) for name, item in value.items())


def _signed_by(manifest: Any) -> str:
    signature = manifest.get("signature_info") if isinstance(manifest, dict) else None
    issuer = signature.get("issuer") if isinstance(signature, dict) else None
    return f"signed by {issuer}" if isinstance(issuer, str) else ""


def _problem(report: Mapping[str, Any]) -> str:
    codes = [str(status.get("code")) for status in report.get("validation_status") or () if isinstance(status, dict)]
    return ", ".join(dict.fromkeys(code for code in codes if code != "signingCredential.untrusted"))
