"""Sizes from headers agree with what decoders find."""

import io
from typing import Any

import pytest

from shared.headers import picture_size
from tests import drawings

FORMATS = ["jpeg", "png", "webp", "gif", "tiff", "bmp", "avif"]


def written(format_name: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    drawings.photo(1, (321, 123)).save(buffer, format_name, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_size_is_read_from_the_header(format_name: str) -> None:
    assert picture_size(written(format_name), format_name) == (321, 123)


@pytest.mark.parametrize("options", [{"lossless": True}, {"exif": b"Exif\0\0"}, {"quality": 10}])
def test_all_webp_forms(options: dict[str, Any]) -> None:
    assert picture_size(written("webp", **options), "webp") == (321, 123)


@pytest.mark.parametrize("format_name", [name for name in FORMATS if name != "tiff"])
def test_the_head_is_enough(format_name: str) -> None:
    assert picture_size(written(format_name)[:4096], format_name) == (321, 123)


@pytest.mark.parametrize("format_name", [*FORMATS, "unknown"])
@pytest.mark.parametrize("length", range(0, 60, 3))
def test_scraps_have_no_size_or_one_but_raise_nothing(format_name: str, length: int) -> None:
    content = written(format_name)[:length] if format_name != "unknown" else bytes(length)
    found = picture_size(content, format_name)
    assert found is None or found.pixels >= 0
