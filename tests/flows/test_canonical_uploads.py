"""One canonical picture: each trick that moves a naive hash is tried by an upload, and the work is found behind it."""

import io
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
import pytest_asyncio
from PIL import Image, ImageOps, PngImagePlugin

from tests.drawings import grey, photo, png, poster
from tests.installation import Installation, Person, team
from tests.profiles import swapped_primaries

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]
WORK_SEED, SIZE = 811, (320, 400)
Trick = Callable[[Image.Image], bytes]


def _file(picture: Image.Image, format_name: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, format_name, **options)
    return out.getvalue()


def _turned(format_name: str) -> Trick:
    def trick(work: Image.Image) -> bytes:
        exif = Image.Exif()
        exif[0x0112] = 6
        return _file(work.transpose(Image.Transpose.ROTATE_90), format_name, exif=exif)

    return trick


def _deep_grey(format_name: str) -> Trick:
    return lambda work: _file(Image.fromarray(grey(work).astype(np.uint16) * 257), format_name)


def _after_a_blank_frame(format_name: str) -> Trick:
    def trick(work: Image.Image) -> bytes:
        blank = Image.new("RGB", work.size, "white")
        later = [work.copy(), photo(3, SIZE)]
        return _file(blank, format_name, save_all=True, append_images=later, duration=[100, 3000, 500])

    return trick


def _second_page(work: Image.Image) -> bytes:
    blank = Image.new("RGB", (300, 300), "white")
    return _file(blank, "TIFF", save_all=True, append_images=[work.copy()])


def _in_alpha(ink: str) -> Trick:
    def trick(work: Image.Image) -> bytes:
        carrier = Image.new("RGB", work.size, ink)
        carrier.putalpha(Image.fromarray(grey(work)))
        return _file(carrier, "PNG")

    return trick


def _gamma(work: Image.Image) -> bytes:
    extra = PngImagePlugin.PngInfo()
    extra.add(b"gAMA", round(0.15 * 100_000).to_bytes(4, "big"))
    coded = work.point([round(255 * (value / 255) ** (0.15 * 2.2)) for value in range(256)] * 3)
    return _file(coded, "PNG", pnginfo=extra)


def _profile(format_name: str) -> Trick:
    def trick(work: Image.Image) -> bytes:
        red, green, blue = work.split()
        coded = Image.merge("RGB", (blue, red, green))
        return _file(coded, format_name, icc_profile=swapped_primaries())

    return trick


def _forty_eight_bits(work: Image.Image) -> bytes:
    done, content = cv2.imencode(".png", np.asarray(work)[..., ::-1].astype(np.uint16) * 257)
    assert done
    return bytes(content.tobytes())


TRICKS: dict[str, Trick] = {
    "orientation.jpg": _turned("JPEG"),
    "orientation.png": _turned("PNG"),
    "orientation.webp": _turned("WEBP"),
    "16-bit-grey.png": _deep_grey("PNG"),
    "16-bit-grey.tif": _deep_grey("TIFF"),
    "blank-first.gif": _after_a_blank_frame("GIF"),
    "blank-first.webp": _after_a_blank_frame("WEBP"),
    "blank-first.png": _after_a_blank_frame("PNG"),
    "page-2.tif": _second_page,
    "alpha-on-white.png": _in_alpha("white"),
    "alpha-on-black.png": _in_alpha("black"),
    "gamma.png": _gamma,
    "profile.png": _profile("PNG"),
    "profile.jpg": _profile("JPEG"),
    "negative.png": lambda work: _file(ImageOps.invert(work), "PNG"),
    "cmyk.jpg": lambda work: _file(work.convert("CMYK"), "JPEG"),
    "palette.png": lambda work: _file(work.convert("P"), "PNG"),
    "1-bit.png": lambda work: _file(work.convert("1"), "PNG"),
    "48-bit.png": _forty_eight_bits,
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def uma(line: Installation) -> Person:
    uploader, rita = await team(line, "canonical")
    await rita.protect(png(poster(WORK_SEED, SIZE)), "The Canonical")
    return uploader


@pytest.mark.parametrize("name", TRICKS)
async def test_the_work_is_found_behind_the_trick(uma: Person, name: str) -> None:
    verdict = await uma.screened(TRICKS[name](poster(WORK_SEED, SIZE)), name=name)
    assert verdict["outcome"] == "escalate"
    assert "S-MATCH-WHOLE" in {reason["rule"] for reason in verdict["reasons"]}, verdict["findings"]
