"""Limits checked on the container's own structure, before a decoder allocates anything."""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.screening.decode.model import Refusal
from shared.headers import Buffer, Size, jpeg_segments, picture_size, riff_chunks, tiff_pages


@dataclass(frozen=True, slots=True)
class Limits:
    """What a picture may ask of the decoder. Pixels as stored; `total_pixels` over all frames or pages."""

    pixels: int = 50_000_000
    side: int = 30_000
    frames: int = 2_000
    total_pixels: int = 300_000_000
    pages: int = 50
    scans: int = 100
    chunks: int = 1_000


def check(data: Buffer, format_name: str, limits: Limits) -> None:
    """Raise `Refusal` when the header announces more than `limits` allow, or announces no size at all."""
    size = picture_size(data, format_name)
    if size is None:
        raise Refusal("undecodable", f"the {format_name} header holds no picture size")
    check_size(size, limits)
    if format_name == "jpeg":
        _check_scans(data, limits)
    elif format_name == "png":
        check_frames(_check_chunks(data, limits), size, limits)
    elif format_name == "webp":
        check_frames(sum(code == b"ANMF" for code, _, _ in riff_chunks(data)), size, limits)
    elif format_name == "tiff":
        _check_pages(data, limits)


def check_size(size: Size, limits: Limits) -> None:
    """Raise `Refusal` for an empty, too large or too long picture."""
    if min(size) < 1:
        raise Refusal("undecodable", f"the header announces {size.width} x {size.height} pixels")
    if size.pixels > limits.pixels or max(size) > limits.side:
        asked = f"{size.width} x {size.height} pixels"
        raise Refusal("too_many_pixels", f"{asked}, allowed are {limits.pixels} in all and {limits.side} a side")


def check_frames(frames: int, size: Size, limits: Limits) -> None:
    """Raise `Refusal` for too many frames, or too many pixels over all of them."""
    if frames > limits.frames or frames * size.pixels > limits.total_pixels:
        allowed = f"allowed are {limits.frames} frames and {limits.total_pixels} pixels over all"
        raise Refusal("too_many_frames", f"{frames} frames of {size.width} x {size.height} pixels, {allowed}")


def _check_scans(data: Buffer, limits: Limits) -> None:
    scans = count_scans(data, limits.scans + 1)
    if scans > limits.scans:
        raise Refusal("too_many_scans", f"more than {limits.scans} JPEG scans")


# Within coded data 0xFF is followed by 0 or a restart marker; anything else is a real marker.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


def count_scans(data: Buffer, limit: int) -> int:
    """Scans of a JPEG, counted up to `limit`; a baseline file whose first scan holds all components has one."""
    progressive, components, at = False, 0, 0
    for marker, start, end in jpeg_segments(data):
        if marker in (0xC0, 0xC1, 0xC2):
            progressive, components = marker == 0xC2, data[start + 5]
        if marker == 0xDA:
            if not progressive and data[start] >= components:
                return 1
            at = end
    scans = 1 if at else 0
    while at and scans < limit and (found := _MARKER.search(data, at)):
        at = found.end()
        marker = data[at - 1]
        if marker == 0xD9:
            break
        scans += marker == 0xDA
        at += int.from_bytes(data[at : at + 2], "big")
    return scans


def _check_chunks(data: Buffer, limits: Limits) -> int:
    """Refuse floods of chunks; picture data may be cut as encoders do (8 kB), not to crumbs. Returns the frames."""
    other = pieces = frames = 0
    at, end = 8, len(data)
    while at + 8 <= end:
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind in (b"IDAT", b"fdAT"):
            pieces += 1
        else:
            other += 1
            frames += kind == b"fcTL"
        if other - 2 * frames > limits.chunks or pieces > limits.chunks + frames + end // 4096:
            raise Refusal("too_many_chunks", f"more than {limits.chunks} PNG chunks beside regular picture data")
        if kind == b"IEND":
            break
        at += 12 + length
    return max(frames, 1)


def _check_pages(data: Buffer, limits: Limits) -> None:
    sizes = [Size(page.get(256, 0), page.get(257, 0)) for page in tiff_pages(data, limits.pages + 1)]
    if len(sizes) > limits.pages:
        raise Refusal("too_many_frames", f"more than {limits.pages} TIFF pages")
    for size in sizes:
        check_size(size, limits)
    if sum(size.pixels for size in sizes) > limits.total_pixels:
        raise Refusal("too_many_frames", f"more than {limits.total_pixels} pixels over all pages")
