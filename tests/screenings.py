"""Screenings as the verdict service receives them, without pictures."""

from datetime import UTC, datetime
from typing import Any

from shared.declaration.parse import parse_declaration
from shared.events import AssetScreened, AssetSubmitted, Fingerprints, Uploader
from shared.findings import FINDINGS, Finding, ReferenceMatch, ReferenceRef
from shared.verdicts import ScreeningVersions

START = datetime(2026, 11, 1, 9, tzinfo=UTC)
MOOD_BOARD: dict[str, Any] = {
    "production": "atlas",
    "title": "Harbour at dusk, plate 12",
    "genai_used": "yes",
    "use": "mood_board",
    "deliverable": "temporary",
    "output_nature": "generated",
    "story_role": "none",
    "placement": {
        "on_camera": "no",
        "legible_in_focus": "no",
        "character_interacts": "no",
        "story_relevant": "no",
    },
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
FINAL = MOOD_BOARD | {"deliverable": "final"}
"""Escalates by P4 and A-FIN-1, which a written approval lifts."""

MATCH = ReferenceMatch(
    reference=ReferenceRef(id="work-1", bank="protected", title="The lighthouse"),
    detector="pdq",
    score=0.98,
    distance=4,
)


def screened(
    asset_id: str = "asset-1",
    *,
    number: int = 1,
    declaration: dict[str, Any] = MOOD_BOARD,
    findings: tuple[Finding, ...] = (),
    cause: Any = "submitted",
    cause_id: str | None = None,
    person: str = "uma",
) -> AssetScreened:
    """What screening says of one upload."""
    said = parse_declaration(declaration)
    submitted = AssetSubmitted(
        asset_id=asset_id,
        production=said.production,
        number=1,
        cause_id=asset_id,
        sha256="ab" * 32,
        bytes=1000,
        media_type="image/png",
        filename="plate 12.png",
        declaration=said,
        uploader=Uploader(key_id="key-1", person=person),
        submitted_at=START,
    )
    return AssetScreened(
        asset_id=asset_id,
        production=said.production,
        number=number,
        cause=cause,
        cause_id=cause_id or f"{asset_id}/{number}",
        submitted=submitted,
        findings=FINDINGS.validate_python(findings),
        fingerprints=Fingerprints(sha256="ab" * 32),
        versions=ScreeningVersions(engine="1", index="7", decoder="1"),
        screened_at=START,
    )
