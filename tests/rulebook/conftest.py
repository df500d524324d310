"""Cases for the rulebook: the declaration of INTERFACE.md with changes laid over it, judged by the shipped rules."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from services.verdict.decide import Decision, decide
from shared.declaration.parse import parse_declaration
from shared.findings import FINDINGS
from shared.rulebook.documents import Document, DocumentScope, Papers
from shared.rulebook.facts import facts
from shared.rulebook.loader import shipped_rulebook
from shared.rulebook.model import Rulebook

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
CASE_1: dict[str, Any] = {
    "production": "atlas",
    "title": "Harbour at dusk, plate 12",
    "genai_used": "yes",
    "use": "mood_board",
    "deliverable": "temporary",
    "output_nature": "generated",
    "story_role": "none",
    "placement": {"on_camera": "no", "legible_in_focus": "no", "character_interacts": "no", "story_relevant": "no"},
    "rights": {"recreates_protected": "no", "refers_to": []},
    "truth": {"misleading_as_real": "no", "factual_programme": "no"},
    "union": {"effect": "none"},
    "talent": [],
    "stages": [
        {
            "name": "generate",
            "vendor": "in house",
            "tool": "house-diffusion",
            "environment": "enterprise",
            "stores_reuses_or_trains": "no",
            "human_control": "yes",
            "output_checked": "yes",
            "inputs": [{"kind": "public"}],
        }
    ],
}

Declared = Callable[..., dict[str, Any]]
Judge = Callable[..., Decision]


@pytest.fixture(scope="session")
def rulebook() -> Rulebook:
    return shipped_rulebook()


@pytest.fixture(scope="session")
def declared() -> Declared:
    """Case 1 with changes: `stage=` changes its stage, nested maps are merged, None takes a field away."""

    def declared(stage: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        case = copy.deepcopy(CASE_1)
        case["stages"][0].update(stage or {})
        for key, value in changes.items():
            if isinstance(value, dict) and isinstance(case.get(key), dict):
                case[key].update(value)
            else:
                case[key] = value
        return case

    return declared


@pytest.fixture(scope="session")
def no_genai() -> Declared:
    """A declaration that no generative AI was used."""
    return lambda **more: {"production": "atlas", "genai_used": "no", **more}


@pytest.fixture(scope="session")
def judge(rulebook: Rulebook) -> Judge:
    """The decision on a declaration with findings and documents, for the uploader `una`."""

    def judge(declaration: dict[str, Any], *findings: dict[str, Any], **records: Any) -> Decision:
        case = facts(parse_declaration(declaration), FINDINGS.validate_python(findings))
        now = records.pop("now", NOW)
        return decide(rulebook, case, Papers(**{"asset_id": "asset", "uploader": "una", **records}), now)

    return judge


@pytest.fixture(scope="session")
def document() -> Callable[..., Document]:
    """A document of `atlas`, recorded by one reviewer and confirmed by another."""

    def document(kind: str, *rules: str, **changes: Any) -> Document:
        scope = DocumentScope(**{"production": "atlas", **changes.pop("scope", {})})
        words = {"id": f"{kind}-{'+'.join(rules)}", "given_by": "studio", "recorded_by": "rita", "confirmed_by": "ron"}
        return Document.model_validate({**words, "kind": kind, "rules": rules, "scope": scope, **changes})

    return document


@pytest.fixture(scope="session")
def match() -> Callable[..., dict[str, Any]]:
    """A match of a protected work."""

    def match(extent: str, **changes: Any) -> dict[str, Any]:
        reference = {"id": "ref-1", "bank": "protected", "title": "A poster"}
        return {"kind": "reference_match", "reference": reference, "detector": "local", "score": 0.9} | {
            "extent": extent,
            **changes,
        }

    return match
