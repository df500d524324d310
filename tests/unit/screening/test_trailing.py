"""What follows a picture's end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from services.screening.child import screen_file
from services.screening.trailing import Trailing, trailing_of
from tests import drawings

ENDED = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF"]
TAILS = {
    "zip": b"PK\x03\x04" + bytes(40),
    "html": b"<!DOCTYPE html><script>alert(1)</script>",
    "pdf": b"%PDF-1.7\n1 0 obj",
    "unknown": b"plain words",
    "padding": b"\0" * 70_000,
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def run(format_name: str, tail: bytes, **options: Any) -> Path:
        path = tmp_path / "upload"
        drawings.photo(1, (320, 240)).save(path, format_name, **options)
        path.write_bytes(path.read_bytes() + tail)
        return path

    return run


@pytest.mark.parametrize("format_name", ENDED)
@pytest.mark.parametrize("kind", TAILS)
def test_bytes_after_the_end_are_counted_and_named(kind: str, format_name: str, write: Callable[..., Path]) -> None:
    decoded = screen_file(write(format_name, TAILS[kind]), frozenset())
    assert decoded.unscreenable is None
    assert decoded.trailing == Trailing(len(TAILS[kind]), kind)


@pytest.mark.parametrize("format_name", [*ENDED, "TIFF"])
def test_an_honest_file_has_none(format_name: str, write: Callable[..., Path]) -> None:
    assert screen_file(write(format_name, b""), frozenset()).trailing is None


@pytest.mark.parametrize("progressive", [False, True])
def test_a_second_jpeg_behind_a_large_one_is_found(progressive: bool, tmp_path: Path) -> None:
    path, second = tmp_path / "first", tmp_path / "second"
    drawings.photo(1, (1600, 1200)).save(path, "JPEG", quality=97, progressive=progressive)
    drawings.photo(2, (900, 700)).save(second, "JPEG", quality=97)
    length = path.stat().st_size
    path.write_bytes(path.read_bytes() + second.read_bytes())
    assert length > 500_000
    assert screen_file(path, frozenset()).trailing == Trailing(second.stat().st_size, "jpeg")


def test_an_embedded_thumbnail_does_not_end_a_jpeg(tmp_path: Path) -> None:
    path, thumbnail = tmp_path / "photo", tmp_path / "thumbnail"
    drawings.photo(2, (90, 70)).save(thumbnail, "JPEG")
    exif = Image.Exif()
    exif[0x927C] = thumbnail.read_bytes()
    drawings.photo(1).save(path, "JPEG", exif=exif)
    assert path.read_bytes().count(b"\xff\xd9") == 2
    assert screen_file(path, frozenset()).trailing is None


@pytest.mark.parametrize("format_name", ["jpeg", "png", "webp", "gif", "bmp", "avif", "tiff", "unknown"])
@pytest.mark.parametrize("content", [b"\xff\xd8", b"RIFF", b"GIF89a", b"\0" * 30, b"\xff" * 64])
def test_nonsense_has_no_tail_and_raises_nothing(format_name: str, content: bytes) -> None:
    found = trailing_of(content, format_name)
    assert found is None or found.count <= len(content)
