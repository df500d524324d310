"""Limits, row by row, each from the header before a decoder allocates; every failure is a value with its reason."""

import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from services.screening.decode.limits import Limits, count_scans
from services.screening.decode.model import REASONS, Picture, Unscreenable
from tests import drawings

Encode = Callable[..., bytes]
Decode = Callable[..., Any]


def reason(found: Picture | Unscreenable) -> str:
    return found.reason if isinstance(found, Unscreenable) else "screened"


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))


def webp_canvas(width: int, height: int) -> bytes:
    """34 bytes that make a naive decoder allocate the canvas."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + size + b"ANIM"
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff_header(width: int, height: int) -> bytes:
    entries = struct.pack("<HHII", 256, 4, 1, width) + struct.pack("<HHII", 257, 4, 1, height)
    return b"II*\0" + struct.pack("<IH", 8, 2) + entries + struct.pack("<I", 0)


def jpeg_header(width: int, height: int) -> bytes:
    return b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\0"


def bmp_header(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 54) + struct.pack("<IiiHH", 40, width, height, 1, 24) + bytes(24)


def gif_header(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0)


def avif_header(width: int, height: int) -> bytes:
    ispe = struct.pack(">I4sIII", 20, b"ispe", 0, width, height)
    return struct.pack(">I4s4sI", 16, b"ftyp", b"avif", 0) + struct.pack(">I4s", 8 + len(ispe), b"meta") + ispe


HEADERS = [png_header, webp_canvas, tiff_header, jpeg_header, bmp_header, gif_header, avif_header]


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: header.__name__)
@pytest.mark.parametrize("size", [(7072, 7072), (30_001, 2), (2, 30_001), (16_384, 16_384)])
def test_more_pixels_or_a_longer_side_than_allowed(header: Any, size: tuple[int, int], decode_bytes: Decode) -> None:
    found = decode_bytes(header(*size))
    assert reason(found) == "too_many_pixels"


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: header.__name__)
def test_a_header_without_a_picture_is_not_screened(header: Any, decode_bytes: Decode) -> None:
    assert reason(decode_bytes(header(100, 100))) in ("undecodable", "truncated")


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff\xe0", b"II*\0", b"RIFF\0\0\0\0WEBP"]
)
def test_a_bare_signature_is_undecodable(content: bytes, decode_bytes: Decode) -> None:
    assert reason(decode_bytes(content)) in ("undecodable", "truncated")


def test_zero_pixels_are_undecodable(decode_bytes: Decode) -> None:
    assert reason(decode_bytes(png_header(0, 10) + png_chunk(b"IEND", b""))) == "undecodable"


def test_nothing_is_an_empty_file(decode_bytes: Decode) -> None:
    assert reason(decode_bytes(b"")) == "empty_file"


@pytest.mark.parametrize("content", [b"just text", b"%PDF-1.7\n", b"<svg xmlns='x'/>", b"8BPS\0\1", b"\0" * 64])
def test_what_is_no_screened_format_says_so(content: bytes, decode_bytes: Decode) -> None:
    assert reason(decode_bytes(content)) == "unsupported_format"


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_file_cut_short_is_not_screened(format_name: str, share: float, encode: Encode, decode_bytes: Decode) -> None:
    content = encode(drawings.photo(1, (300, 200)), format_name)
    found = decode_bytes(content[: int(len(content) * share)])
    expected = {"truncated", "undecodable"} if format_name == "TIFF" else {"truncated"}
    assert reason(found) in expected


def test_too_many_frames_and_too_many_pixels_over_all(encode: Encode, decode_bytes: Decode) -> None:
    frames = [drawings.logo(seed, (40, 40)) for seed in range(6)]
    for format_name in ("GIF", "WEBP", "PNG", "AVIF"):
        content = encode(frames[0], format_name, save_all=True, append_images=frames[1:], duration=100)
        assert reason(decode_bytes(content, Limits(frames=5))) == "too_many_frames", format_name
        assert reason(decode_bytes(content, Limits(total_pixels=9_000))) == "too_many_frames", format_name
        assert reason(decode_bytes(content, Limits(frames=6))) == "screened", format_name


def test_too_many_tiff_pages(encode: Encode, decode_bytes: Decode) -> None:
    pages = [drawings.logo(seed, (40, 40)) for seed in range(5)]
    content = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert reason(decode_bytes(content, Limits(pages=4))) == "too_many_frames"
    assert reason(decode_bytes(content, Limits(pages=5, total_pixels=7_000))) == "too_many_frames"
    assert reason(decode_bytes(content, Limits(pages=5))) == "screened"


def test_a_tiff_whose_pages_form_a_loop_ends(encode: Encode, decode_bytes: Decode) -> None:
    content = bytearray(encode(Image.new("L", (30, 30), 90), "TIFF"))
    first = struct.unpack_from("<I", content, 4)[0]
    count = struct.unpack_from("<H", content, first)[0]
    struct.pack_into("<I", content, first + 2 + 12 * count, first)
    assert reason(decode_bytes(bytes(content))) in ("screened", "undecodable", "truncated")


def test_jpeg_scans_are_counted_and_limited(encode: Encode, decode_bytes: Decode) -> None:
    progressive = encode(drawings.photo(2, (160, 120)), "JPEG", progressive=True)
    scans = count_scans(progressive, 1_000)
    assert scans == progressive.count(b"\xff\xda") > 5
    last = progressive.rindex(b"\xff\xda")
    flood = progressive[:-2] + progressive[last:-2] * 100 + b"\xff\xd9"
    assert reason(decode_bytes(flood)) == "too_many_scans"
    assert reason(decode_bytes(progressive, Limits(scans=scans))) == "screened"
    assert count_scans(encode(drawings.photo(2, (160, 120)), "JPEG"), 1_000) == 1


def test_baseline_jpegs_of_many_scans_are_limited_too(encode: Encode, decode_bytes: Decode) -> None:
    content = encode(drawings.photo(2, (64, 64)), "JPEG")
    at = content.index(b"\xff\xda")
    one_component = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 0, 63, 0) + b"\x55" * 8
    assert reason(decode_bytes(content[:at] + one_component * 101 + b"\xff\xd9")) == "too_many_scans"


def test_png_chunks_are_limited_but_not_those_of_ordinary_encoders(encode: Encode, decode_bytes: Decode) -> None:
    plain = encode(drawings.logo(1, (64, 64)), "PNG")
    notes = png_chunk(b"tEXt", b"Comment\0hello")
    assert reason(decode_bytes(plain[:33] + notes * 900 + plain[33:])) == "screened"
    assert reason(decode_bytes(plain[:33] + notes * 1_001 + plain[33:])) == "too_many_chunks"
    header, rest = plain[:33], zlib.compress(bytes(65 * 64), 0)
    crumbs = b"".join(png_chunk(b"IDAT", rest[at : at + 1]) for at in range(len(rest)))
    assert reason(decode_bytes(header + crumbs + png_chunk(b"IEND", b""))) == "too_many_chunks"
    pieces = b"".join(png_chunk(b"IDAT", bytes(8192)) for _ in range(1_500))
    assert reason(decode_bytes(header + pieces)) != "too_many_chunks"


def test_reasons_are_the_documented_ones() -> None:
    with pytest.raises(ValueError, match="'odd' is not documented"):
        Unscreenable("odd", "")
    assert set(REASONS) == {
        "empty_file", "unsupported_format", "undecodable", "truncated", "too_many_pixels", "too_many_frames",
        "too_many_scans", "too_many_chunks", "resource_limit", "integrity_error", "name_mismatch",
    }  # fmt: skip
