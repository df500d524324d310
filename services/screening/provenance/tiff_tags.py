"""TIFF directories, as EXIF uses them: the tags that may hold marks, bounded in every direction."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from services.screening.provenance.texts import LOOKED_AT
from shared.headers import Buffer

XMP, IPTC, PHOTOSHOP, C2PA, USER_COMMENT = 700, 33723, 34377, 0xCD41, 0x9286
TEXTS = {
    0x010E: "description", 0x010F: "make", 0x0110: "model", 0x0131: "software", 0x013B: "artist", 0x8298: "copyright",
    0x927C: "makernote", 0xC614: "model", 0x000B: "software",
}  # fmt: skip
WIDE_TEXTS = {0x9C9B: "title", 0x9C9C: "comment", 0x9C9D: "artist", 0x9C9E: "keywords", 0x9C9F: "subject"}
_WANTED = {XMP, IPTC, PHOTOSHOP, C2PA, USER_COMMENT, *TEXTS, *WIDE_TEXTS}
_EXIF_DIRECTORY = 34665
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 13: 4}
_DIRECTORIES, _ENTRIES = 8, 512
_BLOCK = 2 << 20
_LOOKED_AT = {XMP: _BLOCK, IPTC: _BLOCK, PHOTOSHOP: _BLOCK, 0x927C: 1 << 10}


def tags_of(data: Buffer) -> Iterator[tuple[int, bytes]]:
    """(tag, value) of the wanted tags, over at most 8 directories; whatever is out of bounds is passed over."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
    if order is None or len(data) < 16:
        return
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    (first,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
    waiting, seen = [first], set[int]()
    while waiting and len(seen) < _DIRECTORIES:
        at = waiting.pop()
        if not at or at in seen:
            continue
        seen.add(at)
        try:
            yield from _directory(data, at, order, big=big, waiting=waiting)
        except struct.error:
            continue


def _directory(data: Buffer, at: int, order: str, *, big: bool, waiting: list[int]) -> Iterator[tuple[int, bytes]]:
    head, width, inline, codes = (8, 20, 8, "QQ") if big else (2, 12, 4, "HI")
    count = struct.unpack_from(order + codes[0], data, at)[0]
    for entry in range(at + head, at + head + width * min(count, _ENTRIES), width):
        tag, kind, values = struct.unpack_from(order + "HH" + codes[1], data, entry)
        size = _SIZES.get(kind, 0) * values
        where = entry + width - inline
        if tag == _EXIF_DIRECTORY:
            waiting.append(struct.unpack_from(order + "I", data, where)[0])
        elif tag in _WANTED and size:
            start = where if size <= inline else struct.unpack_from(order + codes[1], data, where)[0]
            yield tag, bytes(data[start : start + min(size, _LOOKED_AT.get(tag, LOOKED_AT + 64))])
    if count <= _ENTRIES:
        waiting.append(struct.unpack_from(order + codes[1], data, at + head + width * count)[0])
