"""What a file is, told by its first bytes."""

import io
from typing import Any

import pytest

from shared.media import SCREENABLE, Media, MediaKind, contradicts_name, identify
from tests import drawings

HEADS: dict[str, tuple[bytes, MediaKind]] = {
    "mp4": (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", MediaKind.VIDEO),
    "mov": (b"\0\0\0\x14ftypqt  \0\0\2\0qt  ", MediaKind.VIDEO),
    "m4a": (b"\0\0\0\x18ftypM4A \0\0\2\0isomiso2", MediaKind.AUDIO),
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", MediaKind.PICTURE),
    "avif": (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", MediaKind.PICTURE),
    "wav": (b"RIFF\x24\0\0\0WAVEfmt ", MediaKind.AUDIO),
    "avi": (b"RIFF\x24\0\0\0AVI LIST", MediaKind.VIDEO),
    "mp3": (b"\xff\xfb\x90\x44" + bytes(60), MediaKind.AUDIO),
    "flac": (b"fLaC\0\0\0\x22", MediaKind.AUDIO),
    "ogg": (b"OggS\0\2", MediaKind.AUDIO),
    "webm": (b"\x1a\x45\xdf\xa3\x93\x42\x82\x84webm", MediaKind.VIDEO),
    "mkv": (b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska", MediaKind.VIDEO),
    "pdf": (b"%PDF-1.7\n", MediaKind.DOCUMENT),
    "zip": (b"PK\x03\x04\x14\0", MediaKind.DOCUMENT),
    "svg": (b"<?xml version='1.0'?>\n<!-- made -->\n<svg xmlns='x'>", MediaKind.PICTURE),
    "html": (b"\n<!DOCTYPE html><html>", MediaKind.DOCUMENT),
    "psd": (b"8BPS\0\1" + bytes(20), MediaKind.PICTURE),
    "exr": (b"v/1\x01\2\0\0\0", MediaKind.PICTURE),
    "dpx": (b"SDPX\0\0\x20\0", MediaKind.PICTURE),
    "jxl": (b"\xff\x0a\xfa\x07", MediaKind.PICTURE),
    "unknown": (b"just words", MediaKind.UNKNOWN),
}


@pytest.mark.parametrize("name", HEADS)
def test_formats_are_told_by_their_first_bytes(name: str) -> None:
    head, kind = HEADS[name]
    found = identify(head)
    assert (found.format, found.kind) == (name, kind)
    assert not found.screenable or name == "avif"


@pytest.mark.parametrize("name", sorted(SCREENABLE))
def test_screened_formats_are_those_that_pillow_writes(name: str) -> None:
    buffer = io.BytesIO()
    drawings.logo(1, (40, 40)).save(buffer, name)
    found = identify(buffer.getvalue()[:64], f"anything.{name}")
    assert (found.format, found.kind, found.screenable) == (name, MediaKind.PICTURE, True)
    assert not contradicts_name(found, f"anything.{name}")


@pytest.mark.parametrize("head", [b"", b"B", b"BM", b"RIFF", b"\xff", b"\0\0\0\0ftyp", b"<", b"<!doctype svg"])
def test_scraps_raise_nothing(head: bytes) -> None:
    assert isinstance(identify(head), Media)


@pytest.mark.parametrize(
    ("head", "name", "contradicts"),
    [
        (b"just words", "poster.jpg", True),
        (b"\x89PNG\r\n\x1a\n", "poster.webp", True),
        (b"\x89PNG\r\n\x1a\n", "poster.PNG", False),
        (b"\xff\xd8\xff\xe0", "poster.jpeg", False),
        (b"\xff\xd8\xff\xe0", "poster", False),
        (b"\xff\xd8\xff\xe0", "poster.final_v2", False),
        (b"\xff\xd8\xff\xe0", None, False),
        (b"PK\x03\x04", "brief.docx", False),
        (b"PK\x03\x04", "folder\\poster.gif", True),
        (b"II*\0", "plate.dng", False),
    ],
)
def test_content_that_is_not_what_its_name_says(head: Any, name: str | None, contradicts: bool) -> None:
    assert contradicts_name(identify(head, name), name) is contradicts


def test_an_audio_name_tells_audio_from_video_in_mp4_only() -> None:
    assert identify(HEADS["mp4"][0], "song.m4a").kind is MediaKind.AUDIO
    assert identify(HEADS["mp4"][0], "song.mp3").kind is MediaKind.VIDEO
