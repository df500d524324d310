"""One canonical picture: each trick that moves a naive hash by 30 of 64 bits, row by row."""

import io
import itertools
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from services.screening.decode.canonical import Detail, scale_for
from services.screening.decode.model import Picture
from services.screening.fingerprint.pdq import distance
from services.screening.fingerprint.whole import fingerprint
from tests import drawings
from tests.profiles import swapped_primaries

Encode = Callable[..., bytes]
Views = Callable[[bytes], Picture]

ART = drawings.poster(11)
ORIENT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # what a file with that orientation stores: the upright picture turned the other way


@pytest.fixture
def stored(encode: Encode, views_of: Views) -> str:
    return fingerprint(views_of(encode(ART, "PNG")).views).first.pdq


def hashes(picture: Picture) -> dict[str, str]:
    return {view.view: view.pdq for view in fingerprint(picture.views).views}


def nearest(picture: Picture, stored: str) -> int:
    return min(distance(found, stored) for found in hashes(picture).values())


@pytest.mark.parametrize("orientation", ORIENT)
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "TIFF", pytest.param("AVIF", marks=pytest.mark.slow)])
def test_exif_orientation_is_applied(
    format_name: str, orientation: int, encode: Encode, views_of: Views, stored: str
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = ART.transpose(ORIENT[orientation])
    picture = views_of(encode(turned, format_name, exif=exif))
    (view,) = picture.views
    assert (picture.width, picture.height) == ART.size == (view.full_width, view.full_height)
    assert view.luma.shape == (ART.height, ART.width)
    assert distance(fingerprint([view]).first.pdq, stored) <= 12
    assert np.abs(view.luma.astype(int) - drawings.grey(ART)).mean() < 8


@pytest.mark.parametrize("format_name", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_not_clipped(format_name: str, encode: Encode, views_of: Views, stored: str) -> None:
    deep = Image.fromarray(drawings.grey(ART).astype(np.uint16) * 257)
    (view,) = views_of(encode(deep, format_name)).views
    assert np.abs(view.luma.astype(int) - drawings.grey(ART)).max() <= 1
    assert distance(fingerprint([view]).first.pdq, stored) <= 4


@pytest.mark.parametrize(("values", "top"), [(np.int32, 60_000), (np.float32, 1.0), (np.uint16, 4095)])
def test_other_deep_greys_are_scaled_to_what_they_use(
    values: type, top: float, encode: Encode, views_of: Views, stored: str
) -> None:
    deep = Image.fromarray((drawings.grey(ART) / 255 * top).astype(values))
    assert nearest(views_of(encode(deep, "TIFF")), stored) <= 8


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "PNG"])
def test_frames_after_a_blank_first_one_are_screened(
    format_name: str, encode: Encode, views_of: Views, stored: str
) -> None:
    blank = Image.new("RGB", ART.size, "white")
    frames = {"save_all": True, "append_images": [ART, drawings.poster(12)], "duration": [100, 3000, 500]}
    picture = views_of(encode(blank, format_name, **frames))
    assert picture.pages == 3
    assert [view.name for view in picture.views] == ["frame 2", "frame 3", "frame 1"]  # the longest-shown first
    assert distance(fingerprint(picture.views).first.pdq, stored) <= 16


def test_frames_that_look_alike_count_once_and_views_are_capped(encode: Encode, views_of: Views) -> None:
    still = [drawings.logo(1, (64, 64))] * 30
    moving = [drawings.photo(seed, (64, 64)) for seed in range(40)]
    picture = views_of(encode(still[0], "WEBP", save_all=True, append_images=still[1:] + moving, duration=40))
    assert len(picture.views) == 16
    assert picture.views[0].name == "frame 1"
    numbers = sorted(int(view.name.split()[1]) for view in picture.views)
    assert max(after - before for before, after in itertools.pairwise(numbers)) <= 5  # spread over time
    assert numbers[-1] >= picture.pages - 4


def test_every_tiff_page_is_screened(encode: Encode, views_of: Views, stored: str) -> None:
    pages = [ART.copy(), drawings.photo(4, (300, 200))]  # Pillow keeps the last encoder with a picture
    blank = Image.new("RGB", (500, 500), "white")
    picture = views_of(encode(blank, "TIFF", save_all=True, append_images=pages))
    assert [view.name for view in picture.views] == ["page 1", "page 2", "page 3"]
    assert distance(hashes(picture)["page 2"], stored) <= 2


@pytest.mark.parametrize("format_name", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("ink", ["black", "white"])
def test_a_picture_in_the_alpha_channel_is_seen(
    ink: str, format_name: str, encode: Encode, views_of: Views, stored: str
) -> None:
    carrier = Image.new("RGB", ART.size, ink)
    carrier.putalpha(Image.fromarray(drawings.grey(ART)))
    picture = views_of(encode(carrier, format_name, lossless=True, exact=True))
    found = [variant.pdq for view in fingerprint(picture.views).views for variant in view.variants]
    assert min(distance(pdq, stored) for pdq in found) <= 4


def test_colour_under_full_transparency_is_seen(encode: Encode, views_of: Views, stored: str) -> None:
    hidden = ART.copy()
    hidden.putalpha(0)
    picture = views_of(encode(hidden, "PNG"))
    assert distance(hashes(picture)["picture without alpha"], stored) <= 2


def test_an_opaque_alpha_channel_adds_no_views(encode: Encode, views_of: Views) -> None:
    opaque = ART.convert("RGBA")
    assert [view.name for view in views_of(encode(opaque, "PNG")).views] == ["picture"]


@pytest.mark.parametrize("gamma", [0.15, 1.0])
def test_png_gamma_is_undone(gamma: float, encode: Encode, views_of: Views) -> None:
    art = drawings.photo(3)
    coded = art.point([round(255 * (value / 255) ** (gamma * 2.2)) for value in range(256)] * 3)
    extra = PngImagePlugin.PngInfo()
    extra.add(b"gAMA", round(gamma * 100_000).to_bytes(4, "big"))
    (view,) = views_of(encode(coded, "PNG", pnginfo=extra)).views
    assert np.abs(view.luma.astype(int) - drawings.grey(art)).mean() < 4


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_icc_coded_pictures_become_srgb(format_name: str, encode: Encode, views_of: Views) -> None:
    art = drawings.photo(6)
    red, green, blue = art.split()
    coded = Image.merge("RGB", (blue, red, green))
    (view,) = views_of(encode(coded, format_name, icc_profile=swapped_primaries(), quality=95)).views
    error = np.abs(view.luma.astype(int) - drawings.grey(art)).mean()
    naive = np.abs(drawings.grey(coded).astype(int) - drawings.grey(art)).mean()
    assert error < 6 < naive


def test_a_damaged_profile_is_ignored_as_viewers_do(encode: Encode, views_of: Views, stored: str) -> None:
    assert nearest(views_of(encode(ART, "PNG", icc_profile=b"no profile at all" * 20)), stored) == 0


def test_a_negative_is_found_by_complement(encode: Encode, views_of: Views, stored: str) -> None:
    negative = ART.point(lambda value: 255 - value)
    found = fingerprint(views_of(encode(negative, "PNG")).views).first.variants
    assert [v.name for v in found if distance(v.pdq, stored) <= 31] == ["negative"]


@pytest.mark.parametrize(
    ("mode", "format_name", "bits"), [("CMYK", "JPEG", 16), ("CMYK", "TIFF", 8), ("P", "PNG", 20), ("P", "BMP", 20)]
)
def test_modes_that_are_fine_stay_fine(
    mode: str, format_name: str, bits: int, encode: Encode, views_of: Views, stored: str
) -> None:
    assert nearest(views_of(encode(ART.convert(mode), format_name)), stored) <= bits


def test_one_bit_pictures_stay_fine(encode: Encode, views_of: Views, stored: str) -> None:
    assert nearest(views_of(encode(ART.convert("1"), "PNG")), stored) <= 20


def test_48_bit_pictures_stay_fine(views_of: Views, stored: str) -> None:
    import cv2

    deep = np.asarray(ART)[..., ::-1].astype(np.uint16) * 257
    done, content = cv2.imencode(".png", deep)
    assert done
    assert nearest(views_of(content.tobytes()), stored) <= 4


def test_a_jpeg_with_a_second_picture_index_is_no_detour(encode: Encode, views_of: Views, stored: str) -> None:
    content = encode(ART, "MPO", save_all=True, append_images=[drawings.photo(1)])
    picture = views_of(content)
    assert picture.format == "jpeg"
    assert nearest(picture, stored) <= 12


@pytest.mark.parametrize(
    ("size", "hashes_scale", "features_scale"),
    [((4000, 3000), 8, 4), ((1226, 815), 2, 1), ((500, 375), 1, 1), ((30_000, 300), 1, 1), ((1, 1), 1, 1)],
)
def test_scale_keeps_what_hashes_and_features_need(
    size: tuple[int, int], hashes_scale: int, features_scale: int
) -> None:
    assert scale_for(*size, Detail.HASHES) == hashes_scale
    assert scale_for(*size, Detail.FEATURES) == features_scale


@pytest.mark.slow
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
def test_each_format_is_reduced_to_the_same_grid(format_name: str, encode: Encode, views_of: Views) -> None:
    art = drawings.photo(8, (1537, 513))
    (view,) = views_of(encode(art, format_name)).views
    assert (view.scale, view.luma.shape) == (2, (257, 769))
    expected = np.asarray(Image.open(io.BytesIO(encode(art, "PNG"))).convert("L").reduce(2)).astype(int)
    assert np.abs(view.luma.astype(int) - expected).mean() < 4
