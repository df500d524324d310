"""Eight decode processes and one see the same in the same files: findings to the last digit."""

import asyncio
from typing import Any

import pytest
from PIL import Image, ImageOps

from tests.drawings import jpeg, photo, png, poster
from tests.installation import Person, team
from tests.installations import Opening

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]
WORKS = range(4)


def _scene(seed: int) -> Image.Image:
    """A plate with a poster on its wall."""
    plate = photo(40 + seed, (1200, 900))
    plate.paste(poster(seed).resize((300, 400)), (150 + 60 * seed, 200))
    return plate


def _uploads() -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for seed in WORKS:
        work = poster(seed)
        width, height = work.size
        crop = ImageOps.mirror(work.crop((width // 8, height // 6, width * 7 // 8, height * 5 // 6)))
        files |= {
            f"whole-{seed}.jpg": jpeg(work, 40),
            f"mirrored-{seed}.png": png(ImageOps.mirror(work)),
            f"crop-{seed}.jpg": jpeg(crop),
            f"scene-{seed}.jpg": jpeg(_scene(seed)),
            f"negative-{seed}.png": png(ImageOps.invert(work)),
            f"other-{seed}.png": png(photo(80 + seed)),
            f"cut-{seed}.jpg": jpeg(work)[:4000],
        }
    return files


async def _findings(uma: Person, rita: Person) -> dict[str, Any]:
    """Findings by the file's name; works by their titles, which are the same everywhere."""
    for seed in WORKS:
        await rita.protect(png(poster(seed)), f"work {seed}")
    files = _uploads()
    verdicts = await asyncio.gather(*(uma.screened(data, name=name) for name, data in files.items()))
    for verdict in verdicts:
        for finding in verdict["findings"]:
            if "reference" in finding:
                finding["reference"].pop("id")
    return {name: verdict["findings"] for name, verdict in zip(files, verdicts, strict=True)}


async def test_eight_workers_find_what_one_finds(opening: Opening) -> None:
    found = []
    for workers in (1, 8):
        async with opening(screening={"workers": workers, "partial_copies": True}) as installation:
            uma, rita = await team(installation, "agreeing")
            found.append(await _findings(uma, rita))
    one, eight = found
    assert eight == one
    detectors = {finding.get("detector", finding["kind"]) for findings in one.values() for finding in findings}
    assert {"pdq", "local", "unscreenable"} <= detectors
    assert all(one[f"crop-{seed}.jpg"] and one[f"scene-{seed}.jpg"] for seed in WORKS)
    assert not any(one[f"other-{seed}.png"] for seed in WORKS)
