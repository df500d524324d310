"""Bytes after the picture's end: decoders ignore them, so archives, pages and second pictures travel there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.headers import Buffer, jpeg_segments
from shared.media import HEAD_BYTES, identify


@dataclass(frozen=True, slots=True)
class Trailing:
    """How many bytes follow the picture and what they look like: a format of `shared.media`, `padding` or `unknown`."""

    count: int
    kind: str


def trailing_of(data: Buffer, format_name: str, hint: int = 0) -> Trailing | None:
    """What follows the picture, or None: nothing, or a format without an end of its own. `hint` as for `image_end`."""
    end = image_end(data, format_name, hint)
    if end is None or end >= len(data):
        return None
    return Trailing(len(data) - end, _kind(data, end))


def image_end(data: Buffer, format_name: str, hint: int = 0) -> int | None:
    """Where the picture ends: beyond `len(data)` for a file cut short, None where the format does not tell.

    `hint` is a position known to lie inside a JPEG's coded data, which saves searching what comes before it.
    """
    if format_name == "jpeg":
        return _jpeg_end(data, hint)
    walker = _WALKERS.get(format_name)
    return walker(data) if walker else None


def _kind(data: Buffer, end: int) -> str:
    head = data[end : end + HEAD_BYTES]
    stripped = head.lstrip(b"\0\xff\r\n\t ")
    if not stripped and not any(data[at : at + HEAD_BYTES].strip(b"\0\xff\r\n\t ") for at in _steps(end, len(data))):
        return "padding"
    found = identify(head).format
    return found if found != "unknown" else identify(stripped).format


def _steps(start: int, end: int) -> range:
    return range(start, end, HEAD_BYTES)


def _jpeg_end(data: Buffer, hint: int) -> int:
    scan = max((end for _, _, end in jpeg_segments(data)), default=2)
    at = data.find(b"\xff\xd9", max(scan, hint))
    return at + 2 if at >= 0 else len(data) + 1


def _png_end(data: Buffer) -> int:
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        at += 12 + length
        if data[at - length - 8 : at - length - 4] == b"IEND":
            return at
    return len(data) + 1


def _webp_end(data: Buffer) -> int:
    length = int.from_bytes(data[4:8], "little")
    return 8 + length + (length & 1)


def _bmp_end(data: Buffer) -> int | None:
    # Writers leave the size field at zero or wrong often enough: only a plausible one tells the end.
    size = int.from_bytes(data[2:6], "little")
    return size if size > int.from_bytes(data[10:14], "little") else None


def _gif_end(data: Buffer) -> int:
    at = 13 + _colours(data[10]) if len(data) > 13 else len(data)
    while at < len(data):
        block = data[at]
        if block == 0x3B:
            return at + 1
        if block == 0x21:
            at = _after_pieces(data, at + 2)
        elif block == 0x2C and at + 10 < len(data):
            at = _after_pieces(data, at + 11 + _colours(data[at + 9]))
        else:
            break
    return len(data) + 1 if at >= len(data) else at


def _colours(flags: int) -> int:
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0


def _after_pieces(data: Buffer, at: int) -> int:
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return at + 1


_BOXES = frozenset({b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"uuid", b"wide", b"idat", b"mini", b"styp"})


def _avif_end(data: Buffer) -> int | None:
    at = 0
    while at + 8 <= len(data) and data[at + 4 : at + 8] in _BOXES:
        size, head = int.from_bytes(data[at : at + 4], "big"), 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if size == 0:  # this box runs to the end of the file
            return None
        if size < head:
            break
        at += size
    return at


_WALKERS: dict[str, Callable[[Buffer], int | None]] = {
    "png": _png_end, "webp": _webp_end, "gif": _gif_end, "bmp": _bmp_end, "avif": _avif_end,
}  # fmt: skip
