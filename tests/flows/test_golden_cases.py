"""The golden cases of the studio's guidance, each an upload over HTTP, on both backends.

Those that only documents decide (10, 11, 18) are in `test_golden_documents.py`, 13 is in `test_provenance.py`.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import ImageOps

from tests.drawings import jpeg, photo, png, poster
from tests.golden import PERFORMER, counting, fired, lifted, record, trio
from tests.installation import MOOD_BOARD, STAGE, Installation, team
from tests.installations import Opening

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]
ON_CAMERA = {**MOOD_BOARD["placement"], "on_camera": "yes"}
AGREED = {"within_norms": "yes", "agreed": "yes"}
SOUND: dict[str, Any] = {"use": "audio_work", "deliverable": "final", "output_nature": "enhanced"}
DUBBED = [{"name": "A", "treatment": "dubbing"} | AGREED, {"name": "B", "treatment": "customary_enhancement"} | AGREED]
KEEPS = STAGE | {"name": "upscale", "environment": "consumer", "stores_reuses_or_trains": "yes"}
UNATTENDED = {"human_control": "no", "output_checked": "no"}


def model(kind: str) -> dict[str, Any]:
    """A stage with a model that was trained without rights."""
    return STAGE | {"model": {"trained_on": [{"kind": kind, "rights": "none"}]}}


def refers(kind: str, name: str) -> dict[str, Any]:
    return MOOD_BOARD["rights"] | {"refers_to": [{"kind": kind, "name": name, "rights": "none"}]}


CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "1 mood board from an enterprise tool": ({}, "clear", "M-LOW-1"),
    "2 terms of the tool not known": ({"stages": [STAGE | {"stores_reuses_or_trains": "unsure"}]}, "escalate", "P2"),
    "3 second killer doll": ({"use": "concept_art", "story_role": "main_character"}, "escalate", "A-OUT-1"),
    "4 model trained on one portrait": (
        {"stages": [model("artist_style")], "rights": refers("copyrighted", "portrait of a girl with green eyes")},
        "escalate",
        "A-DATA-2 A-OUT-2",
    ),
    "5 model of an actress's nose": (
        {"stages": [model("performer")], "rights": refers("performer", "a famous actress")},
        "escalate",
        "A-DATA-2 A-OUT-2",
    ),
    "7 historical document read aloud": (
        {"use": "background_element", "placement": ON_CAMERA | {"character_interacts": "yes"}},
        "escalate",
        "M-CAU-1",
    ),
    "8 news segment in the background": (
        {
            "use": "background_element",
            "placement": ON_CAMERA,
            "truth": {"misleading_as_real": "yes", "factual_programme": "no"},
        },
        "escalate",
        "A-ETH-1",
    ),
    "9 dubbing and pitch correction": (SOUND | {"talent": DUBBED}, "clear", "E-1 E-2"),
    "9 lip-sync to new lines": (
        SOUND | {"talent": [{"name": "A", "treatment": "lip_sync"} | AGREED]},
        "escalate",
        "A-TAL-2",
    ),
    "12 second stage keeps inputs": ({"stages": [STAGE, KEEPS, STAGE | {"name": "grade"}]}, "escalate", "P2"),
    "19 stills in a true-crime documentary": (
        {"placement": ON_CAMERA, "truth": {"misleading_as_real": "no", "factual_programme": "yes"}},
        "escalate",
        "A-ETH-1",
    ),
    "22 own released stills": ({"stages": [STAGE | {"inputs": [{"kind": "own"}]}]}, "caution", "M-CAU-2"),
    "22 unreleased script": ({"stages": [STAGE | {"inputs": [{"kind": "unreleased"}]}]}, "escalate", "A-DATA-1"),
    "23 unattended pipeline, temporary": ({"stages": [STAGE | UNATTENDED]}, "caution", "W-2 W-3"),
    "23 unattended pipeline, final": (
        {"stages": [STAGE | UNATTENDED], "deliverable": "final"},
        "escalate",
        "W-2 W-3",
    ),
}


def overlap(corners: Any, box: tuple[float, float, float, float]) -> float:
    """Intersection over union of a region's bounding box and another box."""
    xs, ys = zip(*corners, strict=True)
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    width, height = min(right, box[2]) - max(left, box[0]), min(bottom, box[3]) - max(top, box[1])
    shared = max(width, 0) * max(height, 0)
    return shared / ((right - left) * (bottom - top) + (box[2] - box[0]) * (box[3] - box[1]) - shared)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def studio(opening: Opening) -> AsyncIterator[Installation]:
    """With screening as it is shipped: parts of works are searched for, too."""
    async with opening(screening={"workers": 1}) as installation:
        yield installation


@pytest.mark.parametrize("name", CASES)
async def test_case(studio: Installation, name: str) -> None:
    changes, outcome, rules = CASES[name]
    uma, _ = await team(studio, f"case-{name.partition(' ')[0]}")
    verdict = await uma.screened(png(photo(1000)), **changes)
    assert (verdict["outcome"], fired(verdict) >= set(rules.split())) == (outcome, True), verdict["summary"]
    if outcome == "clear":
        assert (fired(verdict), verdict["to_do"]) == (set(rules.split()), [])
    if name.startswith("12 "):
        assert [reason["stage"] for reason in verdict["reasons"] if reason["rule"] == "P2"] == ["2: upscale"]


async def test_case_6_a_background_poster_temporary_final_and_approved(studio: Installation) -> None:
    uma, rita, sam = await trio(studio, "case-6")
    sign: dict[str, Any] = {"use": "background_element", "placement": ON_CAMERA}
    temporary = await uma.screened(png(photo(1006)), **sign)
    final = await uma.screened(png(photo(1006)), **sign, deliverable="final")
    await record(rita, sam, "written_approval", "P4", "A-FIN-1")
    approved = await uma.screened(png(photo(1006)), **sign, deliverable="final")
    assert (temporary["outcome"], counting(temporary)) == ("caution", {"M-CAU-1"})
    assert (final["outcome"], counting(final)) == ("escalate", {"P4", "A-FIN-1", "M-CAU-1"})
    assert (approved["outcome"], counting(approved)) == ("caution", {"M-CAU-1"})
    assert lifted(approved) == {"P4", "A-FIN-1"}


async def test_case_14_a_mirrored_crop_of_a_protected_work(studio: Installation) -> None:
    uma, rita = await team(studio, "case-14")
    work = poster(1014, (720, 960))
    reference = await rita.protect(png(work), "Night Train")
    crop = ImageOps.mirror(work.crop((80, 120, 640, 800)))
    verdict = await uma.screened(jpeg(crop, 80))
    assert (verdict["outcome"], "S-MATCH-WHOLE" in counting(verdict)) == ("escalate", True)
    numbers = {number for r in verdict["reasons"] if r["rule"] == "S-MATCH-WHOLE" for number in r["findings"]}
    found = [verdict["findings"][number] for number in numbers]
    assert {one["reference"]["id"] for one in found} == {reference["id"]}
    part = next(one for one in found if one["detector"] == "local")
    assert part["transform"].startswith("mirrored")
    assert overlap(part["reference_region"], (80 / 720, 120 / 960, 640 / 720, 800 / 960)) > 0.8
    assert part["share_of_upload"] > 0.8


async def test_case_15_a_protected_poster_on_eight_hundredths_of_the_frame(studio: Installation) -> None:
    uma, rita = await team(studio, "case-15")
    work, plate = poster(1015, (480, 640)), photo(1015, (1280, 960))
    reference = await rita.protect(png(work), "The Lighthouse")
    plate.paste(work.resize((272, 362)), (700, 300))
    no_genai = {"title": "Plate", "genai_used": "no", "use": "set_extension"}
    final = await uma.screened(jpeg(plate, 90), no_genai, deliverable="final")
    temporary = await uma.screened(jpeg(plate, 90), no_genai, deliverable="temporary")
    assert (final["outcome"], counting(final)) == ("escalate", {"S-MATCH-PART"})
    assert (temporary["outcome"], counting(temporary)) == ("caution", {"S-MATCH-PART"})
    (match,) = [one for one in final["findings"] if one["kind"] == "reference_match"]
    assert match["reference"]["id"] == reference["id"]
    assert 0.03 < match["share_of_upload"] < 0.1  # 0.08 of the frame, less what of it shows nothing to compare
    assert overlap(match["upload_region"], (700 / 1280, 300 / 960, 972 / 1280, 662 / 960)) > 0.5


async def test_case_16_a_wholly_undeclared_file(studio: Installation) -> None:
    uma, _ = await team(studio, "case-16")
    verdict = await uma.screened(png(photo(1016)), {})
    assert verdict["outcome"] == "escalate"
    for field in ("genai_used", "use", "deliverable", "stages", "talent", "rights.refers_to", "union.effect"):
        assert any(line.startswith(f"Declare `{field}`") for line in verdict["to_do"])


async def test_case_17_a_synthetic_voice(studio: Installation) -> None:
    uma, _ = await team(studio, "case-17")
    sound = b"RIFF\x24\x08\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\0\x08\0\0" + bytes(2048)
    voice = [{"name": PERFORMER, "treatment": "synthetic_voice"}]
    verdict = await uma.screened(sound, name="voice.wav", use="audio_work", talent=voice)
    assert verdict["outcome"] == "escalate"
    assert fired(verdict) >= {"A-TAL-1", "M-ESC-2", "S-NOT-MATCHED"}
    assert [one["kind"] for one in verdict["findings"]] == ["not_matched"]


@pytest.mark.parametrize(
    ("name", "data", "outcome"),
    [
        ("voice.wav", b"RIFF\x24\0\0\0WAVEfmt " + bytes(40), "clear"),
        ("rushes.mp4", b"\0\0\0\x18ftypmp42" + bytes(3000), "caution"),
        ("script.pdf", b"%PDF-1.7\n%%EOF\n", "caution"),
    ],
)
async def test_what_is_no_picture_is_stored_and_judged_by_its_declaration(
    studio: Installation, name: str, data: bytes, outcome: str
) -> None:
    uma, _ = await team(studio, "no-pictures")
    asset = await uma.upload(data, name=name)
    verdict = await uma.decided(asset["id"])
    assert (verdict["outcome"], fired(verdict) >= {"S-NOT-MATCHED"}) == (outcome, True)
    assert (await uma.client.get(asset["links"]["content"])).content == data
    worse = await uma.screened(data, name=name, stages=[STAGE | {"stores_reuses_or_trains": "yes"}])
    assert (worse["outcome"], "P2" in fired(worse)) == ("escalate", True)


async def test_case_20_a_generated_collapse_in_the_final_cut(studio: Installation) -> None:
    uma, rita, sam = await trio(studio, "case-20")
    shot = {
        "use": "set_extension",
        "deliverable": "final",
        "placement": ON_CAMERA | {"story_relevant": "yes"},
    }
    without = await uma.screened(png(photo(1020)), **shot)
    await record(rita, sam, "written_approval", "P4", "A-FIN-1")
    approved = await uma.screened(png(photo(1020)), **shot)
    assert (without["outcome"], counting(without)) == ("escalate", {"P4", "A-FIN-1"})
    assert (approved["outcome"], lifted(approved)) == ("clear", {"P4", "A-FIN-1"})


async def test_case_21_photographs_without_generative_ai(studio: Installation) -> None:
    uma, rita = await team(studio, "case-21")
    await rita.protect(png(photo(1022)), "Another film, frame 4711")
    cast = await uma.screened(jpeg(photo(1021)), {"title": "The cast", "genai_used": "no", "deliverable": "final"})
    told = {"title": "A still", "genai_used": "no", "use": "mood_board", "deliverable": "temporary"}
    still = await uma.screened(jpeg(photo(1022), 70), told)
    assert (cast["outcome"], cast["reasons"]) == ("clear", [])
    assert (still["outcome"], counting(still)) == ("caution", {"S-MATCH-WHOLE"})


async def test_all_twenty_three_are_driven_over_http_and_judged_by_the_rules_alone() -> None:
    flows = Path(__file__).parent
    names = ("test_golden_documents.py", "test_provenance.py", Path(__file__).name)
    texts = [(flows / name).read_text() for name in names]
    driven = {int(number) for text in texts for number in re.findall(r"def test_case_(\d+)_", text)}
    driven |= {int(name.partition(" ")[0]) for name in CASES}
    alone = (flows.parent / "rulebook" / "test_golden_cases.py").read_text()
    judged = {int(number) for number in re.findall(r"def test_case_(\d+)_", alone)}
    assert driven == judged == set(range(1, 24))
