"""Width and height of a picture from its header alone, so that limits are checked before any decoder allocates.

Each reader takes the file's bytes (a memory map, or just the head: then `None` means "not within these bytes").
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

Buffer = bytes | mmap.mmap


class Size(NamedTuple):
    """Width and height in pixels, as stored (before any orientation)."""

    width: int
    height: int

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height


def picture_size(data: Buffer, format_name: str) -> Size | None:
    """The largest size that the header announces, or None if it holds none. `format_name` as in `shared.media`."""
    reader = _READERS.get(format_name)
    if reader is None:
        return None
    try:
        return reader(data)
    except (struct.error, IndexError, ValueError):
        return None


def jpeg_segments(data: Buffer) -> Iterator[tuple[int, int, int]]:
    """(marker, start of payload, end of payload) of each JPEG segment up to and including the first scan header."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xD9 or length < 2:
            return
        yield marker, at + 4, at + 2 + length
        if marker == 0xDA:
            return
        at += 2 + length


def riff_chunks(data: Buffer) -> Iterator[tuple[bytes, int, int]]:
    """(four-character code, start, end) of each chunk of a RIFF file; `end` may lie beyond a file cut short."""
    at = 12
    end = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while at + 8 <= end:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], at + 8, at + 8 + length
        at += 8 + length + (length & 1)


def tiff_pages(data: Buffer, limit: int) -> list[dict[int, int]]:
    """The first value of each numeric tag, page by page; at most `limit` pages, loops end the list."""
    layout = _TiffLayout.of(data)
    pages: list[dict[int, int]] = []
    seen: set[int] = set()
    at = layout.first_directory(data)
    while at and at not in seen and len(pages) < limit:
        seen.add(at)
        try:
            page, at = layout.read_directory(data, at)
        except (struct.error, IndexError):
            break
        pages.append(page)
    return pages


class _TiffLayout(NamedTuple):
    order: str
    big: bool

    @classmethod
    def of(cls, data: Buffer) -> _TiffLayout:
        order = "<" if data[:2] == b"II" else ">"
        return cls(order, struct.unpack_from(order + "H", data, 2)[0] == 43)

    def first_directory(self, data: Buffer) -> int:
        where, code = (8, "Q") if self.big else (4, "I")
        return int(struct.unpack_from(self.order + code, data, where)[0])

    def read_directory(self, data: Buffer, at: int) -> tuple[dict[int, int], int]:
        head, entry, count_code, next_code = (8, 20, "Q", "Q") if self.big else (2, 12, "H", "I")
        count = min(struct.unpack_from(self.order + count_code, data, at)[0], 4096)
        tags: dict[int, int] = {}
        for where in range(at + head, at + head + count * entry, entry):
            tag, kind = struct.unpack_from(self.order + "HH", data, where)
            code = {1: "B", 3: "H", 4: "I", 16: "Q"}.get(kind)
            if code is not None:
                tags[tag] = struct.unpack_from(self.order + code, data, where + (12 if self.big else 8))[0]
        following = struct.unpack_from(self.order + next_code, data, at + head + count * entry)[0]
        return tags, int(following)


def _jpeg(data: Buffer) -> Size | None:
    for marker, start, _ in jpeg_segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, start + 1)
            return Size(width, height)
    return None


def _png(data: Buffer) -> Size | None:
    return Size(*struct.unpack_from(">II", data, 16)) if data[12:16] == b"IHDR" else None


def _gif(data: Buffer) -> Size:
    return Size(*struct.unpack_from("<HH", data, 6))


def _bmp(data: Buffer) -> Size:
    if struct.unpack_from("<I", data, 14)[0] == 12:
        return Size(*struct.unpack_from("<HH", data, 18))
    width, height = struct.unpack_from("<ii", data, 18)
    return Size(abs(width), abs(height))


def _webp(data: Buffer) -> Size | None:
    sizes = [_webp_chunk(code, data, start) for code, start, _ in riff_chunks(data)]
    return _largest([size for size in sizes if size is not None])


def _webp_chunk(code: bytes, data: Buffer, start: int) -> Size | None:
    if code == b"VP8X":
        return Size(_u24(data, start + 4) + 1, _u24(data, start + 7) + 1)
    if code == b"VP8L":
        bits = struct.unpack_from("<I", data, start + 1)[0]
        return Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if code == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, start + 6)
        return Size(width & 0x3FFF, height & 0x3FFF)
    return None


def _u24(data: Buffer, at: int) -> int:
    return int.from_bytes(data[at : at + 3], "little")


def _tiff(data: Buffer) -> Size | None:
    pages = tiff_pages(data, limit=10_000)
    return _largest([Size(page[256], page[257]) for page in pages if 256 in page and 257 in page])


def _avif(data: Buffer) -> Size | None:
    """The largest `ispe` property; boxes are sought by name, which can only overstate."""
    head = data[: 1 << 16]
    starts = [-1]
    while (at := head.find(b"ispe", starts[-1] + 1)) >= 0:
        starts.append(at)
    found = [struct.unpack_from(">II", head, at + 8) for _, at in pairwise(starts) if at + 16 <= len(head)]
    return _largest([Size(*size) for size in found])


def _largest(sizes: list[Size]) -> Size | None:
    return max(sizes, key=lambda size: size.pixels, default=None)


_READERS: dict[str, Callable[[Buffer], Size | None]] = {
    "jpeg": _jpeg, "png": _png, "gif": _gif, "bmp": _bmp, "webp": _webp, "tiff": _tiff, "avif": _avif,
}  # fmt: skip
