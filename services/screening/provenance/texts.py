"""Bytes of metadata as text, however they were coded."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

LOOKED_AT = 256 << 10
"""Characters or bytes of one text that are looked at: generators write their marks at its start."""
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Text:
    """A named text; `cut` when more of it was there than was looked at."""

    key: str
    value: str
    cut: bool = False


def text_of(key: str, data: bytes) -> Text:
    """UTF-8 where it is valid, else Latin-1."""
    head = data[:LOOKED_AT]
    try:
        value = head.decode()
    except UnicodeDecodeError as error:
        value = head.decode("utf-8", "ignore") if error.start > len(head) - 4 else head.decode("latin-1")
    return Text(key.lower(), value.strip("\0 "), len(data) > LOOKED_AT)


def wide_text_of(key: str, data: bytes) -> Text:
    """UTF-16 in the byte order that yields more ASCII: writers disagree on which one EXIF means."""
    head = data[: LOOKED_AT & ~1]
    if head[:2] in _BYTE_ORDER_MARKS:
        value = head.decode("utf-16", "replace")
    else:
        little, big = (head.decode(codec, "replace") for codec in ("utf-16-le", "utf-16-be"))
        value = max(little, big, key=lambda text: sum(map(str.isascii, text[:200])))
    return Text(key.lower(), value.strip("\0 "), len(data) > len(head))


def user_comment_of(data: bytes) -> Text:
    """EXIF's UserComment: eight bytes name the character code."""
    code, rest = data[:8], data[8:]
    if code.startswith(b"UNICODE"):
        return wide_text_of("usercomment", rest)
    return text_of("usercomment", rest if code[:5] in (b"ASCII", b"\0\0\0\0\0") else data)


def inflated(data: bytes, limit: int = LOOKED_AT) -> tuple[bytes, bool]:
    """At most `limit` bytes of a zlib stream, and whether that is not all. Broken streams yield what came before."""
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(data, limit)
    except zlib.error:
        return b"", True
    return found, not stream.eof
