"""The demo's uploads: what each one is, how it is declared, and the verdict that must come of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.cli.demo import edits, works
from services.cli.demo.edits import Bytes

PRODUCTION = "atlas"

_STAGE = {
    "name": "generate",
    "vendor": "in house",
    "tool": "house-diffusion",
    "environment": "enterprise",
    "stores_reuses_or_trains": "no",
    "human_control": "yes",
    "output_checked": "yes",
    "inputs": [{"kind": "public"}],
}
_MOOD_BOARD: Mapping[str, Any] = {
    "production": PRODUCTION,
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
    "stages": [_STAGE],
}
_NO_GENAI: Mapping[str, Any] = {
    "production": PRODUCTION,
    "genai_used": "no",
    "use": "reference_image",
    "deliverable": "temporary",
}


@dataclass(frozen=True)
class Upload:
    """One upload of the demo. `outcome` and `rules` are stated before anything is screened."""

    name: str
    shows: str
    make: Callable[[], Bytes]
    outcome: str
    rules: tuple[str, ...] = ()
    declared: Mapping[str, Any] = field(default_factory=dict)
    after_rescan: str | None = None


def _mood(title: str, **changed: Any) -> dict[str, Any]:
    return {**_MOOD_BOARD, "title": title, **changed}


def _stage(**changed: Any) -> dict[str, Any]:
    return {**_STAGE, **changed}


def _placed(**changed: str) -> dict[str, str]:
    return {**_MOOD_BOARD["placement"], **changed}


UPLOADS: tuple[Upload, ...] = (
    Upload(
        "moodboard-lagoon.jpg",
        "a mood board, made and declared by the rules",
        edits.jpeg(edits.lagoon),
        "clear",
        ("M-LOW-1",),
        _mood("Lagoon, mood board"),
    ),
    Upload(
        "set-photo-stage4.jpg",
        "a set photograph, no GenAI",
        edits.jpeg(edits.stage_floor),
        "clear",
        (),
        {**_NO_GENAI, "title": "Stage 4, lighting test"},
    ),
    Upload(
        "harbour-q25.jpg",
        "a protected work, recompressed hard",
        edits.jpeg(works.harbour, quality=25),
        "escalate",
        ("S-MATCH-WHOLE",),
        _mood("Evening port, concept"),
    ),
    Upload(
        "windows-thumb.png",
        "a protected work at a third of its size",
        edits.png(works.windows, scale=0.33),
        "escalate",
        ("S-MATCH-WHOLE",),
        _mood("City plate, thumbnail"),
    ),
    Upload(
        "train-mirrored.jpg",
        "a protected work, mirrored",
        edits.jpeg(works.night_train, mirrored=True),
        "escalate",
        ("S-MATCH-WHOLE",),
        _mood("Railway poster, idea"),
    ),
    Upload(
        "astronomer-turned.webp",
        "a protected work, turned by a quarter",
        edits.webp(works.astronomer, turned=90),
        "escalate",
        ("S-MATCH-WHOLE",),
        _mood("Star map wallpaper"),
    ),
    Upload(
        "train-crop.jpg",
        "a mirrored crop of a protected work",
        edits.jpeg(edits.mirrored_crop),
        "escalate",
        ("S-MATCH-WHOLE",),
        _mood("Railway detail, idea"),
    ),
    Upload(
        "corridor-plate.jpg",
        "a protected poster on the wall of a final plate, no GenAI",
        edits.jpeg(edits.poster_in_a_scene),
        "escalate",
        ("S-MATCH-PART",),
        {**_NO_GENAI, "title": "Corridor, plate 31", "use": "background_element", "deliverable": "final"},
    ),
    Upload(
        "wall-of-ideas.jpg",
        "a temporary collage with three protected works in it",
        edits.jpeg(edits.collage),
        "caution",
        ("S-MATCH-PART",),
        _mood("Wall of ideas"),
    ),
    Upload(
        "tidal-still.jpg",
        "somebody else's picture in a temporary mood board, no GenAI",
        edits.jpeg(works.tidal, quality=80),
        "caution",
        ("S-MATCH-WHOLE",),
        {**_NO_GENAI, "use": "mood_board", "title": "Surf, found picture"},
    ),
    Upload(
        "street-sign.jpg",
        "a generated sign in the background, temporary",
        edits.jpeg(edits.sign),
        "caution",
        ("M-CAU-1",),
        _mood("Street sign, background", use="background_element", placement=_placed(on_camera="yes")),
    ),
    Upload(
        "own-stills.jpg",
        "the studio's own released stills in an enterprise tool",
        edits.jpeg(edits.corridor),
        "caution",
        ("M-CAU-2",),
        _mood("Corridor, relit", stages=[_stage(inputs=[{"kind": "own", "rights": "owned"}])]),
    ),
    Upload(
        "night-batch.png",
        "an unattended pipeline: nobody directs, nobody checks",
        edits.png(edits.nebula),
        "caution",
        ("W-2", "W-3"),
        _mood("Nebula variants", stages=[_stage(human_control="no", output_checked="no")]),
    ),
    Upload(
        "script-boards.jpg",
        "an unreleased script went into the tool",
        edits.jpeg(edits.storyboard),
        "escalate",
        ("A-DATA-1",),
        _mood("Boards, scene 12", stages=[_stage(inputs=[{"kind": "unreleased"}])]),
    ),
    Upload(
        "upscaled.jpg",
        "stage 2 is a consumer tool that keeps what it is given",
        edits.jpeg(edits.canyon),
        "escalate",
        ("P2",),
        _mood(
            "Canyon, upscaled",
            stages=[
                _STAGE,
                _stage(
                    name="upscale",
                    vendor="a web site",
                    tool="QuickScale",
                    environment="consumer",
                    stores_reuses_or_trains="yes",
                ),
            ],
        ),
    ),
    Upload(
        "double.jpg",
        "a performer's digital replica, no consent on file",
        edits.jpeg(edits.portrait),
        "escalate",
        ("P5", "A-TAL-1"),
        _mood(
            "Stunt double, face",
            use="talent_work",
            talent=[
                {"name": "A. Performer", "treatment": "digital_replica", "within_norms": "yes", "agreed": "unsure"}
            ],
        ),
    ),
    Upload(
        "undeclared.jpg",
        "nothing declared at all",
        edits.jpeg(edits.orchard),
        "escalate",
        ("P2",),
        {"production": PRODUCTION},
    ),
    Upload(
        "found-online.png",
        "a PNG that carries a generator's parameters, declared as no GenAI",
        edits.generated_png(edits.nebula),
        "escalate",
        ("S-UNDECLARED",),
        {**_NO_GENAI, "title": "Nebula, found picture"},
    ),
    Upload(
        "cut-short.jpg",
        "a file cut short on its way",
        edits.cut(edits.jpeg(edits.canyon)),
        "escalate",
        ("S-UNSCREENABLE",),
        _mood("Canyon, second try"),
    ),
    Upload(
        "notes.jpg",
        "text under a picture's name",
        lambda: b"Please see the attached concept.\n" * 40,
        "escalate",
        ("S-UNSCREENABLE",),
        _mood("Notes"),
    ),
    Upload(
        "garden-concept.jpg",
        "clear at first; then the estate registers the original",
        edits.jpeg(edits.garden, quality=70),
        "clear",
        ("M-LOW-1",),
        _mood("Garden, concept"),
        after_rescan="escalate",
    ),
)
"""In the order they are uploaded. The last one changes when `LATE_WORK` is registered."""

LATE_WORK = ("garden", "The Walled Garden", "artwork", edits.garden)
